import { checked, lazily, SystemError } from './libc.ts';

const flock2 = lazily('flock', { return: 'int32', arguments: ['int32', 'int32'] });

const LOCK_EX_NB = 2 | 4;
const LOCK_UN = 8;

/**
 * Takes an exclusive flock(2) without waiting. It lives as long as the open file description: a crash releases it.
 * @returns false when someone else holds it.
 */
export function tryLock(fd: number): boolean {
  try {
    checked('flock', () => flock2()(fd, LOCK_EX_NB));
    return true;
  } catch (error) {
    if (error instanceof SystemError && error.code === 'EAGAIN') return false;
    throw error;
  }
}

/** Lets go of it, while the file stays open. */
export function unlock(fd: number): void {
  checked('flock', () => flock2()(fd, LOCK_UN));
}
