import type { Config } from '../config/keys.ts';
import { isOverlayOn, type MountInfo } from '../linux/mountinfo.ts';
import { volumeLayout } from '../volume/layout.ts';

/**
 * What a boot that was killed left mounted in this mount namespace, newest first: not in a container, whose mounts end
 * with it, but where init is not PID 1 of its own. An overlay over an overlay with the same upper is undefined.
 */
export function findLeftovers(mounts: readonly MountInfo[], config: Config, runDir: string): string[] {
  const { storeDir, stateDir, cacheDir } = config;
  // Without our mark, what is mounted is somebody else's.
  if (!mounts.some(({ target }) => target === `${runDir}/lower/store`)) return [];
  const volume = volumeLayout(cacheDir);
  const ours = (mount: MountInfo): boolean => {
    const { target, root } = mount;
    if (target === runDir || target.startsWith(`${runDir}/`)) return true;
    if (target === storeDir) return isOverlayOn(mount, storeDir, volume.upper);
    if (target === stateDir || target === `${stateDir}/builds`)
      return root.endsWith(target.slice(stateDir.length) || '/var/nix');
    return root.includes('/nix-cache-init/nix.conf');
  };
  return mounts
    .filter(ours)
    .map(({ target }) => target)
    .toReversed();
}
