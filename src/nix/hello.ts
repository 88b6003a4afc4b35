import { closeSync, readSync, writeSync } from 'node:fs';
import { hasErrno, systemErrno } from '../errors.ts';
import { uptime } from '../linux/clock.ts';
import { waitFor } from '../linux/poll.ts';
import { connectUnix } from '../linux/socket.ts';
import { Incomplete, ProtocolError, Reader } from './wire.ts';
import {
  askValidPaths,
  DaemonRefusal,
  greeting,
  type Hello,
  readHello,
  readValidPaths,
  VersionMismatch,
} from './worker-protocol.ts';

/** What a daemon answered. */
export type DaemonHello = Hello & {
  kind: 'daemon';
  /** Those of the paths asked for that are valid to it. */
  valid: string[];
};

/** Why there was no answer: what of the socket is said to be, such as `nobody listens`. */
export type NoDaemon = { kind: 'no daemon'; what: string; errno: string };

/** How long a daemon has to answer a boot. */
export const HELLO_MS = 1000;

/** More than any honest answer. */
const MOST_BYTES = 1024 * 1024;
const CHUNK_BYTES = 16 * 1024;
/** How soon to try again to connect to a daemon that others are waiting for. */
const RETRY_MS = 10;

/**
 * Says hello to a nix-daemon and waits for its answer, and for nothing else: whatever listens there, it is over in time.
 * Synchronous, because it is asked for where a boot looks around.
 * @param paths store paths of which to ask whether they are valid to it.
 */
export function helloDaemon(
  socket: string,
  timeoutMs: number,
  paths: readonly string[] = [],
): DaemonHello | NoDaemon {
  const until = uptime() + timeoutMs;
  let fd: number | undefined;
  try {
    fd = connect(socket, until);
    const conversation = new Conversation(fd, until);
    conversation.say(greeting);
    const hello = conversation.hear(readHello);
    if (paths.length === 0) return { kind: 'daemon', ...hello, valid: [] };
    conversation.say(askValidPaths(paths, hello.protocol));
    return {
      kind: 'daemon',
      ...hello,
      valid: conversation.hear((reader) => readValidPaths(reader, hello.protocol)),
    };
  } catch (error) {
    return explain(error, timeoutMs);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

class TimedOut extends Error {
  override readonly name = 'TimedOut';
}

class HungUp extends Error {
  override readonly name = 'HungUp';
}

function connect(socket: string, until: number): number {
  for (;;) {
    try {
      return connectUnix(socket);
    } catch (error) {
      if (!hasErrno(error, 'EAGAIN')) throw error;
      if (uptime() >= until) throw new TimedOut();
      // Nothing tells when there is room among those who wait.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}

/** A connection on which one side speaks at a time. */
class Conversation {
  readonly #fd: number;
  readonly #until: number;
  #heard = Buffer.alloc(0);

  constructor(fd: number, until: number) {
    this.#fd = fd;
    this.#until = until;
  }

  say(bytes: Buffer): void {
    for (let said = 0; said < bytes.length; ) {
      said += this.#patiently('write', () => writeSync(this.#fd, bytes, said));
    }
  }

  /** @param read is tried again, from the beginning, as long as what it wants has not come. */
  hear<T>(read: (reader: Reader) => T): T {
    for (;;) {
      try {
        const reader = new Reader(this.#heard);
        const answer = read(reader);
        this.#heard = this.#heard.subarray(reader.at);
        return answer;
      } catch (error) {
        if (!(error instanceof Incomplete)) throw error;
        this.#listen();
      }
    }
  }

  #listen(): void {
    if (this.#heard.length > MOST_BYTES) throw new ProtocolError('an answer without an end');
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const read = this.#patiently('read', () => readSync(this.#fd, chunk));
    if (read === 0) throw new HungUp();
    this.#heard = Buffer.concat([this.#heard, chunk.subarray(0, read)]);
  }

  #patiently(what: 'read' | 'write', act: () => number): number {
    for (;;) {
      // Also for a peer that never makes us wait: it could go on for ever.
      if (uptime() >= this.#until) throw new TimedOut();
      try {
        return act();
      } catch (error) {
        if (!hasErrno(error, 'EAGAIN')) throw error;
        waitFor(what, this.#fd, this.#until);
      }
    }
  }
}

function explain(error: unknown, timeoutMs: number): NoDaemon {
  const because = (what: string, errno: string): NoDaemon => ({ kind: 'no daemon', what, errno });
  if (error instanceof TimedOut) return because(`does not answer within ${timeoutMs} ms`, 'ETIMEDOUT');
  if (error instanceof ProtocolError) return because(`is no nix-daemon (${error.message})`, 'EPROTO');
  if (error instanceof VersionMismatch) return because(error.message, 'EPROTONOSUPPORT');
  if (error instanceof DaemonRefusal) return because(`says: ${error.message}`, 'EPROTO');
  // What a daemon does to users whom it does not allow (allowed-users).
  if (error instanceof HungUp || hasErrno(error, 'EPIPE', 'ECONNRESET'))
    return because('hangs up on this user', 'ECONNRESET');
  const errno = systemErrno(error);
  if (errno === undefined) throw error;
  return because(reasons[errno] ?? 'cannot be used', errno);
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'is not there',
  ENOTDIR: 'is not there',
  ECONNREFUSED: 'has nobody who listens',
  EACCES: 'may not be used by this user',
};
