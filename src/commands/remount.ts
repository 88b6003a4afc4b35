import type { CommandLine } from '../config/flags.ts';
import { Exit, errnoOf, InitError, usageError } from '../errors.ts';
import { remountFileSystem } from '../linux/mount.ts';
import { mountOf, readMountInfo } from '../linux/mountinfo.ts';

/**
 * Remounts the overlay at a store directory in place. Nix runs it (`remount-hook`) when it has deleted below the kernel's back
 * what the upper layer and the lower both have, and the kernel would answer with ESTALE.
 */
export async function runRemount({ rest }: CommandLine): Promise<number> {
  const [storeDir, ...more] = rest;
  if (storeDir === undefined || more.length > 0)
    throw usageError('remount takes one directory', 'say nix-cache-init remount /nix/store');
  const failure = (what: string, errno: string, cause?: unknown): InitError =>
    new InitError({
      stage: 'mount',
      what,
      errno,
      remedy: 'run it as root in the container whose store it is',
      exitCode: errno === 'EPERM' ? Exit.privilege : Exit.io,
      cause,
    });
  const mount = mountOf(storeDir, readMountInfo());
  if (mount?.target !== storeDir || mount.type !== 'overlay')
    throw failure(`no overlay is mounted at ${storeDir}`, 'EINVAL');
  try {
    remountFileSystem(storeDir);
  } catch (error) {
    throw failure(`cannot remount ${storeDir}`, errnoOf(error), error);
  }
  return 0;
}
