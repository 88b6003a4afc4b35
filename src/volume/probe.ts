import { existsSync, realpathSync, statSync } from 'node:fs';
import { errnoOf } from '../errors.ts';
import { isReadOnly, type MountInfo, mountOf } from '../linux/mountinfo.ts';
import { volumeLayout } from './layout.ts';

/** What is true of the volume before anything is done to it. */
export type VolumeFacts =
  | { kind: 'missing' }
  | { kind: 'not a directory' }
  | {
      kind: 'directory';
      /** Whether it is on a mount of its own; if not, it goes when the container goes. */
      mounted: boolean;
      fileSystem: string;
      readOnly: boolean;
      /** Whether somebody has written to it. */
      hasUpper: boolean;
    };

/** Looks at the volume through mountinfo alone: probing by writing would leave traces. */
export function probeVolume(cacheDir: string, mounts: readonly MountInfo[]): VolumeFacts {
  let path: string;
  try {
    path = realpathSync(cacheDir);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { kind: 'missing' };
    throw error;
  }
  if (!statSync(path).isDirectory()) return { kind: 'not a directory' };
  const mount = mountOf(path, mounts);
  return {
    kind: 'directory',
    mounted: mount !== undefined && mount.target !== '/',
    fileSystem: mount?.type ?? 'unknown',
    readOnly: mount !== undefined && isReadOnly(mount),
    hasUpper: existsSync(volumeLayout(path).upper),
  };
}
