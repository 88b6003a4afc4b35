import type { Socket } from 'node:net';
import { Exit, errnoOf, InitError } from '../errors.ts';
import { runLayout } from '../store/run-layout.ts';
import { lineCutter } from './frames.ts';
import { MOST_REPLY_BYTES, type Request, replySchema, VERSION } from './protocol.ts';

type WithoutVersion<R> = R extends unknown ? Omit<R, 'v'> : never;

export type AskOptions = {
  /** Aborted to hang up. */
  signal: AbortSignal;
  /** What is said before the end. */
  onItem?: (item: unknown) => void;
};

/**
 * Asks the init that runs here.
 * @returns what it answered.
 * @throws {InitError} what it answered with; 74 when nobody answers, or not what could be understood.
 */
export async function ask(
  request: WithoutVersion<Request>,
  { signal, onItem }: AskOptions,
): Promise<unknown> {
  const { connect } = process.getBuiltinModule('node:net');
  const answer = Promise.withResolvers<unknown>();
  const socket = connect(runLayout.control);
  const hangUp = (): void => void socket.destroy();
  signal.addEventListener('abort', hangUp);
  socket.on('connect', () => socket.write(`${JSON.stringify({ v: VERSION, ...request })}\n`));
  socket.on('error', (error) => answer.reject(nobody(error)));
  socket.on('close', () => answer.reject(signal.aborted ? signal.reason : hungUp()));
  hear(socket, { onItem: (item) => onItem?.(item), onDone: answer.resolve, onError: answer.reject });
  try {
    return await answer.promise;
  } finally {
    signal.removeEventListener('abort', hangUp);
    socket.destroy();
  }
}

type Ears = {
  onItem(item: unknown): void;
  onDone(result: unknown): void;
  onError(error: unknown): void;
};

function hear(socket: Socket, { onItem, onDone, onError }: Ears): void {
  const cut = lineCutter(MOST_REPLY_BYTES);
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const line of cut(chunk)) {
        const { success, data } = replySchema.safeParse(JSON.parse(line));
        if (!success) throw notUnderstood();
        if ('error' in data) onError(new InitError(data.error as ConstructorParameters<typeof InitError>[0]));
        else if ('done' in data) onDone(data.done);
        else onItem(data.item);
      }
    } catch (error) {
      onError(error instanceof InitError ? error : notUnderstood(error));
    }
  });
}

const failure = (what: string, errno: string, remedy: string, cause?: unknown): InitError =>
  new InitError({ stage: 'control', what, errno, remedy, exitCode: Exit.io, cause });

function nobody(cause: unknown): InitError {
  const errno = errnoOf(cause);
  // Whoever is hung up on at once may not even have asked.
  if (errno === 'ECONNRESET' || errno === 'EPIPE') return hungUp(cause);
  if (errno === 'EACCES')
    return failure(
      `${runLayout.control} is for root and the user of init`,
      errno,
      'docker exec --user root …',
      cause,
    );
  return failure(
    'no init answers here',
    errno,
    'run it in the container whose ENTRYPOINT is /init: docker exec CONTAINER nix-cache-init …; nix-cache-init wait waits for one',
    cause,
  );
}

const hungUp = (cause?: unknown): InitError =>
  failure('init hung up', 'ECONNRESET', 'it has too many clients, or is ending: see docker logs', cause);

const notUnderstood = (cause?: unknown): InitError =>
  failure(
    'the answer cannot be understood',
    'EBADMSG',
    'use the nix-cache-init that is in this container',
    cause,
  );
