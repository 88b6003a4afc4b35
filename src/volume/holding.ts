import { closeSync, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { hasErrno } from '../errors.ts';
import { makeDirectories } from '../linux/directories.ts';
import { type LockRequest, takeLock } from './lock.ts';

export type Held = Pick<LockRequest, 'of' | 'path' | 'remedy'> & {
  /** If not, it is no matter that it cannot be taken for want of a disk that can be written; a holder matters all the same. */
  needed: boolean;
};

/**
 * Does something while holding a lock.
 * @throws {InitError} 75, naming the holder.
 */
export async function holding<T>(
  lock: Held | undefined,
  signal: AbortSignal,
  act: () => Promise<T>,
): Promise<T> {
  const held = lock === undefined ? undefined : await take(lock, signal);
  try {
    return await act();
  } finally {
    if (held !== undefined) closeSync(held);
  }
}

async function take(lock: Held, signal: AbortSignal): Promise<number | undefined> {
  const { path, needed } = lock;
  try {
    if (needed) makeDirectories(dirname(path));
    else if (!existsSync(path)) return undefined;
    return await takeLock({ ...lock, waitMs: 0, signal });
  } catch (error) {
    if (!needed && hasErrno(error, 'EROFS', 'EACCES')) return undefined;
    throw error;
  }
}
