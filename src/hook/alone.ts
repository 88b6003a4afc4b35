import { closeSync } from 'node:fs';
import { InitError, toInitError } from '../errors.ts';
import { makeDirectories } from '../linux/directories.ts';
import { runDir } from '../store/run-layout.ts';
import { takeLock } from '../volume/lock.ts';

/** Does the work of `mount` or `unmount`, one at a time on this machine: a second one waits, and finds it done. */
export async function alone(signal: AbortSignal, act: () => Promise<void>): Promise<void> {
  const lock = await take(signal);
  try {
    await act();
  } finally {
    closeSync(lock);
  }
}

async function take(signal: AbortSignal): Promise<number> {
  const path = `${runDir}/hook.lock`;
  try {
    makeDirectories(runDir, 0o755);
    return await takeLock({ of: 'hook', path, waitMs: Number.POSITIVE_INFINITY, signal });
  } catch (error) {
    signal.throwIfAborted();
    const known = toInitError(error, 'lock', path);
    if (known.errno !== 'EROFS') throw known;
    throw new InitError({ ...known, remedy: 'mount -t tmpfs -o mode=755 tmpfs /run', cause: error });
  }
}
