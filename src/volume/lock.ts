import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Exit, InitError, isDiskFull } from '../errors.ts';
import { tryLock } from '../linux/flock.ts';

const RETRY_MS = 50;

export type LockRequest = {
  path: string;
  /** How long to wait for the holder to go, in milliseconds; 0: not at all. */
  waitMs: number;
  /** Aborts the waiting: a stop that arrives meanwhile must not have to wait too. */
  signal: AbortSignal;
  /** For the message: what the holder has, and what to do about it. */
  subject?: string;
  remedy?: string;
};

/**
 * Takes the volume's lock, held until the descriptor is closed or the process ends, however it ends.
 * Two writers on one upper directory are undefined, and the kernel does not refuse them (overlayfs.rst,
 * "Sharing and copying layers").
 * @returns the descriptor that holds it.
 * @throws {InitError} 75, naming the holder.
 */
export async function takeLock(request: LockRequest): Promise<number> {
  const { path, waitMs, signal } = request;
  // a+: created when missing, and a holder's name is not truncated by someone who only waits.
  const fd = openSync(path, 'a+', 0o644);
  try {
    for (const end = Date.now() + waitMs; !tryLock(fd); await sleep(RETRY_MS, undefined, { signal })) {
      if (Date.now() >= end) throw locked(request);
    }
    nameHolder(fd);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** The name is for people only, so a full disk may swallow it; the lock itself needs no space. */
function nameHolder(fd: number): void {
  try {
    ftruncateSync(fd);
    writeSync(fd, `${JSON.stringify({ host: hostname(), pid: process.pid })}\n`);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
}

function locked({
  path,
  subject = 'the volume',
  remedy = 'stop that container, or set onLocked=wait',
}: LockRequest): InitError {
  const holder = readFileSync(path, 'utf8').trim() || 'an unnamed holder';
  return new InitError({
    stage: 'lock',
    what: `${subject} is in use by ${holder}`,
    errno: 'EWOULDBLOCK',
    remedy,
    exitCode: Exit.locked,
  });
}
