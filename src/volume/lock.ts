import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Exit, type Failure, InitError, isDiskFull } from '../errors.ts';
import { tryLock, unlock } from '../linux/flock.ts';
import { isUpperInUse } from '../linux/overlayfs.ts';
import { bootId } from '../linux/process.ts';
import { volumeLayout } from './layout.ts';

const RETRY_MS = 50;

/**
 * What a lock is on: the volume, what is mounted over the store in this mount namespace, that store to repair or collect it, or
 * the commands `mount` and `unmount`.
 */
export type LockedThing = 'volume' | 'mounts' | 'repair' | 'gc' | 'hook';

export type LockRequest = {
  of?: LockedThing;
  path: string;
  /** How long to wait for the holder to go, in milliseconds; 0: not at all. */
  waitMs: number;
  /** Aborts the waiting: a stop that arrives meanwhile must not have to wait too. */
  signal: AbortSignal;
  /** What to do about a holder, where the general answer would mislead. */
  remedy?: string;
  /** What will be mounted under it stays when the holder has gone: from then on the kernel is asked (docs/decisions/0020). */
  stays?: boolean;
  /** What is mounted under it so is the taker's own. */
  own?: boolean;
};

/**
 * Takes the volume's lock, held until the descriptor is closed or the process ends, however it ends.
 * Two writers on one upper directory are undefined, and the kernel does not refuse them (overlayfs.rst,
 * "Sharing and copying layers").
 * @returns the descriptor that holds it.
 * @throws {InitError} 75, naming the holder.
 */
export async function takeLock(request: LockRequest): Promise<number> {
  const { path, waitMs, signal, stays = false } = request;
  // a+: created when missing, and a holder's name is not truncated by someone who only waits.
  const fd = openSync(path, 'a+', 0o644);
  try {
    for (const end = Date.now() + waitMs; !take(fd, request); await sleep(RETRY_MS, undefined, { signal })) {
      if (Date.now() >= end) throw locked(request);
    }
    nameHolder(fd, stays);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function take(fd: number, { of = 'volume', path, own = false }: LockRequest): boolean {
  if (!tryLock(fd)) return false;
  if (of !== 'volume' || own || mountHolder(path) === undefined) return true;
  // Whoever is to unmount it takes the lock for that.
  unlock(fd);
  return false;
}

/** Who mounted a volume and went, if that is still mounted anywhere on this kernel; its lock is free then. */
export function mountHolder(path: string): Holder | undefined {
  const holder = readHolder(path);
  if (!isOfThisBoot(holder)) return undefined;
  return isUpperInUse(volumeLayout(dirname(dirname(path))).upper) ? holder : undefined;
}

const isOfThisBoot = ({ mounted }: Holder): boolean => mounted !== undefined && mounted === bootId();

/** The name is for people only, so a full disk may swallow it; the lock itself needs no space, unless it is to stay. */
function nameHolder(fd: number, stays: boolean): void {
  const mounted = stays ? { mounted: bootId() } : {};
  try {
    ftruncateSync(fd);
    // Not as a date: the first one of a process can take 15 ms, for time zones.
    writeSync(
      fd,
      `${JSON.stringify({ host: hostname(), pid: process.pid, since: Date.now(), ...mounted })}\n`,
    );
  } catch (error) {
    if (stays || !isDiskFull(error)) throw error;
  }
}

/** @throws {InitError} 75, naming the holder, when somebody holds a lock. */
export function assertFree(of: LockedThing, path: string): void {
  if (!existsSync(path)) return;
  const fd = openSync(path, 'r');
  try {
    if (!tryLock(fd) || isOfThisBoot(readHolder(path))) throw locked({ of, path });
  } finally {
    closeSync(fd);
  }
}

const inUse: Readonly<Record<LockedThing, Pick<Failure, 'what' | 'remedy'>>> = {
  volume: { what: 'the volume is in use', remedy: 'stop that container, or set onLocked=wait or read-only' },
  mounts: { what: 'the store here is in use', remedy: 'stop it first' },
  gc: { what: 'garbage is being collected', remedy: 'wait until that is done' },
  repair: { what: 'the store is being repaired', remedy: 'wait until that repair is done' },
  hook: { what: 'a mount or unmount is under way here', remedy: 'wait until it is done' },
};

/** What ends a hold that no process has. */
export const UNMOUNT = 'nix-cache-init unmount, there; while processes use what was mounted, it stays';

function locked({ of = 'volume', path, remedy }: Pick<LockRequest, 'of' | 'path' | 'remedy'>): InitError {
  const { what, remedy: general } = inUse[of];
  const holder = readHolder(path);
  return new InitError({
    stage: 'lock',
    what: `${what} by ${holder.name}`,
    errno: 'EWOULDBLOCK',
    remedy: remedy ?? (holder.mounted === undefined ? general : UNMOUNT),
    exitCode: Exit.locked,
  });
}

/** Who took a lock last, as far as the file says. */
export type Holder = {
  /** For people. Made when it is asked for: the first date of a process takes long. */
  readonly name: string;
  /** A container's host name is its ID. */
  host?: string;
  /** The boot of the kernel in which it mounted the volume and went. */
  mounted?: string;
};

export function readHolder(path: string): Holder {
  const text = readFileSync(path, 'utf8').trim();
  try {
    const { host, pid, since, mounted } = JSON.parse(text) as Record<string, unknown>;
    if (typeof host === 'string') {
      return {
        get name() {
          const start = typeof since === 'number' ? `, since ${new Date(since).toISOString()}` : '';
          return `${host} (${typeof mounted === 'string' ? 'nix-cache-init mount' : `PID ${pid}`}${start})`;
        },
        host,
        ...(typeof mounted === 'string' && { mounted }),
      };
    }
  } catch {
    // Cut off by a full disk, or by somebody else: shown as it is.
  }
  return { name: text || 'an unnamed holder' };
}
