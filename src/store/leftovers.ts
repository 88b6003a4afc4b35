import { basename, dirname } from 'node:path';
import type { Config } from '../config/keys.ts';
import { isOverlayOn, type MountInfo } from '../linux/mountinfo.ts';
import { volumeLayout } from '../volume/layout.ts';
import { runDir, runLayout } from './run-layout.ts';

/**
 * What a boot that was killed left mounted in this mount namespace, newest first: not in a container, whose mounts end
 * with it, but where init is not PID 1 of its own. An overlay over an overlay with the same upper is undefined.
 */
export function findLeftovers(mounts: readonly MountInfo[], config: Config): string[] {
  const { storeDir, stateDir, cacheDir } = config;
  // Without our mark, what is mounted is somebody else's.
  if (!mounts.some(({ target }) => target === runLayout.lowerStore)) return [];
  const uppers = [volumeLayout(cacheDir).upper, runLayout.upper];
  const ours = (mount: MountInfo): boolean => {
    const { target, root } = mount;
    if (target === runDir || target.startsWith(`${runDir}/`)) return true;
    if (target === storeDir) return uppers.some((upper) => isOverlayOn(mount, storeDir, upper));
    // What a reader shows of the volume over the image's.
    if (dirname(target) === storeDir) return root.endsWith(`/upper/${basename(target)}`);
    if (target === stateDir && root.endsWith('/state')) return true;
    if (target === stateDir || target === `${stateDir}/builds`)
      return root.endsWith(target.slice(stateDir.length) || '/var/nix');
    return root.includes('/nix-cache-init/nix.conf');
  };
  return mounts
    .filter(ours)
    .map(({ target }) => target)
    .toReversed();
}
