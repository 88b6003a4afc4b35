import { closeSync, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { hasErrno } from '../errors.ts';
import { takeLock } from './lock.ts';

/**
 * Does something while holding a lock.
 * @param lock of one that is not `needed` it is no matter if it cannot be taken for want of a disk that can be written; a holder
 *   matters all the same.
 * @throws {InitError} 75, naming the holder.
 */
export async function holding<T>(
  lock: { path: string; needed: boolean } | undefined,
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

async function take(
  { path, needed }: { path: string; needed: boolean },
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    if (needed) mkdirSync(dirname(path), { recursive: true });
    else if (!existsSync(path)) return undefined;
    return await takeLock({ path, waitMs: 0, signal });
  } catch (error) {
    if (!needed && hasErrno(error, 'EROFS', 'EACCES')) return undefined;
    throw error;
  }
}
