import type { Socket } from 'node:net';
import { Exit, InitError, toInitError } from '../errors.ts';
import { LineTooLong, lineCutter } from './frames.ts';
import { type Handlers, handle } from './handlers.ts';
import { MOST_REQUEST_BYTES, type Reply, requestSchema, type ToldFailure, VERSION } from './protocol.ts';

/** How long a client has for its request, in milliseconds. */
const REQUEST_MS = 5000;

/** How much of an answer waits for a client that does not read. */
const MOST_UNREAD_BYTES = 1024 * 1024;

/** Reads one request, answers it and hangs up. */
export function converse(client: Socket, handlers: Handlers): void {
  const cut = lineCutter(MOST_REQUEST_BYTES);
  const gone = new AbortController();
  const patience = setTimeout(() => client.destroy(), REQUEST_MS);
  client.on('close', () => {
    clearTimeout(patience);
    gone.abort();
  });
  const say = (reply: Omit<Reply, 'v'>): void => {
    if (client.destroyed) return;
    client.write(`${JSON.stringify({ v: VERSION, ...reply }, plain)}\n`);
    if (client.writableLength > MOST_UNREAD_BYTES) client.destroy();
  };
  const answer = async (line: string): Promise<void> => {
    try {
      const request = parseRequest(line);
      const done = await handle(handlers, request, { say: (item) => say({ item }), signal: gone.signal });
      say({ done: done ?? null });
    } catch (error) {
      say({ error: told(error) });
    }
    client.end();
  };
  client.on('data', (chunk: Buffer) => {
    try {
      const [line] = cut(chunk);
      if (line === undefined) return;
      clearTimeout(patience);
      // One request a connection: more of it would have to be held meanwhile.
      client.pause().removeAllListeners('data');
      client.resume();
      void answer(line);
    } catch (error) {
      if (!(error instanceof LineTooLong)) throw error;
      client.removeAllListeners('data');
      say({ error: told(refusal(error.message, 'EMSGSIZE')) });
      client.destroySoon();
    }
  });
}

/** What JSON has no word for. */
const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value);

const refusal = (what: string, errno: string): InitError =>
  new InitError({
    stage: 'control',
    what,
    errno,
    remedy: 'use the nix-cache-init that is in this container',
    exitCode: Exit.usage,
  });

function parseRequest(line: string) {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw refusal('the request is not JSON', 'EBADMSG');
  }
  const version = typeof value === 'object' && value !== null && 'v' in value ? value.v : undefined;
  if (version !== VERSION)
    throw refusal(
      `version ${JSON.stringify(version) ?? 'none'} of the control protocol is not spoken here`,
      'EPROTONOSUPPORT',
    );
  const { success, data } = requestSchema.safeParse(value);
  if (!success) throw refusal('the request is none that is known', 'EBADMSG');
  return data;
}

function told(error: unknown): ToldFailure {
  const { stage, what, errno, remedy, exitCode } = toInitError(error, 'control', 'cannot do that');
  return { stage, what, errno, remedy, exitCode };
}
