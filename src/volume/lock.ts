import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Exit, type Failure, InitError, isDiskFull } from '../errors.ts';
import { tryLock } from '../linux/flock.ts';

const RETRY_MS = 50;

/** What a lock is on: the volume, what is mounted over the store in this mount namespace, or that store to repair or collect it. */
export type LockedThing = 'volume' | 'mounts' | 'repair' | 'gc';

export type LockRequest = {
  of?: LockedThing;
  path: string;
  /** How long to wait for the holder to go, in milliseconds; 0: not at all. */
  waitMs: number;
  /** Aborts the waiting: a stop that arrives meanwhile must not have to wait too. */
  signal: AbortSignal;
  /** What to do about a holder, where the general answer would mislead. */
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
    // Not as a date: the first one of a process can take 15 ms, for time zones.
    writeSync(fd, `${JSON.stringify({ host: hostname(), pid: process.pid, since: Date.now() })}\n`);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
}

/** @throws {InitError} 75, naming the holder, when somebody holds a lock. */
export function assertFree(of: LockedThing, path: string): void {
  if (!existsSync(path)) return;
  const fd = openSync(path, 'r');
  try {
    if (!tryLock(fd)) throw locked({ of, path });
  } finally {
    closeSync(fd);
  }
}

const inUse: Readonly<Record<LockedThing, Pick<Failure, 'what' | 'remedy'>>> = {
  volume: { what: 'the volume is in use', remedy: 'stop that container, or set onLocked=wait or read-only' },
  mounts: { what: 'the store here is in use', remedy: 'stop it first' },
  gc: { what: 'garbage is being collected', remedy: 'wait until that is done' },
  repair: { what: 'the store is being repaired', remedy: 'wait until that repair is done' },
};

function locked({ of = 'volume', path, remedy }: Pick<LockRequest, 'of' | 'path' | 'remedy'>): InitError {
  const { what, remedy: general } = inUse[of];
  return new InitError({
    stage: 'lock',
    what: `${what} by ${holderOf(path)}`,
    errno: 'EWOULDBLOCK',
    remedy: remedy ?? general,
    exitCode: Exit.locked,
  });
}

/** Who took a lock last, as far as the file says. */
export type Holder = {
  /** For people. */
  name: string;
  /** A container's host name is its ID. */
  host?: string;
};

const holderOf = (path: string): string => readHolder(path).name;

export function readHolder(path: string): Holder {
  const text = readFileSync(path, 'utf8').trim();
  try {
    const { host, pid, since } = JSON.parse(text) as Record<string, unknown>;
    const start = typeof since === 'number' ? `, since ${new Date(since).toISOString()}` : '';
    if (typeof host === 'string') return { name: `${host} (PID ${pid}${start})`, host };
  } catch {
    // Cut off by a full disk, or by somebody else: shown as it is.
  }
  return { name: text || 'an unnamed holder' };
}
