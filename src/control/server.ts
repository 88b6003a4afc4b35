import type { Server, Socket } from 'node:net';
import { Exit, InitError, toInitError } from '../errors.ts';
import { peerOf } from '../linux/peer.ts';
import { LineTooLong, lineCutter } from './frames.ts';
import { type Handlers, handle } from './handlers.ts';
import { MOST_REQUEST_BYTES, type Reply, requestSchema, type ToldFailure, VERSION } from './protocol.ts';

/** How many are served at a time; who comes beyond that is hung up on. */
export const MOST_CLIENTS = 32;

/** How long a client has for its request, in milliseconds. */
export const REQUEST_MS = 5000;

/** How much of an answer waits for a client that does not read. */
const MOST_UNREAD_BYTES = 1024 * 1024;

/**
 * Answers on a listening Unix socket, which is its own from here on. Whatever a client does, or does not do, costs init no more
 * than a bounded amount of memory and one small piece of work at a time.
 * @returns what ends it: nobody is connected any more and the socket is closed.
 */
export function serveControl(listening: number, handlers: Handlers): () => void {
  const { createServer } = process.getBuiltinModule('node:net');
  const clients = new Set<Socket>();
  const server: Server = createServer((client) => {
    clients.add(client);
    client.on('close', () => clients.delete(client));
    // Whoever hangs up in the middle is gone: there is nobody to tell.
    client.on('error', () => client.destroy());
    if (mayAsk(client)) converse(client, handlers);
    else client.destroy();
  });
  server.maxConnections = MOST_CLIENTS;
  server.listen({ fd: listening });
  return () => {
    server.close();
    for (const client of clients) client.destroy();
  };
}

/** The mode of the socket keeps others out; this is for when somebody changed that, or passed on a connection's path. */
function mayAsk(client: Socket): boolean {
  const fd = descriptorOf(client);
  if (fd === undefined) return false;
  const { uid } = peerOf(fd);
  return uid === 0 || uid === process.geteuid?.();
}

/** Node has no other way to the descriptor of a connection; the pinned release has this one, and a test holds it to it. */
function descriptorOf(client: Socket): number | undefined {
  const { _handle: handle } = client as unknown as { _handle?: { fd?: number } | null };
  const fd = handle?.fd;
  return fd !== undefined && fd >= 0 ? fd : undefined;
}

function converse(client: Socket, handlers: Handlers): void {
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
