import { basename, dirname, join, relative } from 'node:path';
import type { Config } from '../config/keys.ts';
import { isOverlayOn, type MountInfo, mountOf } from '../linux/mountinfo.ts';
import { volumeLayout } from '../volume/layout.ts';
import { runDir, runLayout } from './run-layout.ts';

/**
 * What a boot that was killed left mounted in this mount namespace, newest first: not in a container, whose mounts end
 * with it, but where init is not PID 1 of its own. An overlay over an overlay with the same upper is undefined.
 */
export function findLeftovers(mounts: readonly MountInfo[], config: Config): string[] {
  const { storeDir, stateDir, cacheDir } = config;
  const aside = mounts.some(({ target }) => target === runLayout.lowerStore);
  const conf = generatedConf(mounts);
  // Without a mark of ours, what is mounted is somebody else's.
  if (!aside && !mounts.some(conf)) return [];
  const uppers = [volumeLayout(cacheDir).upper, runLayout.upper];
  const ours = (mount: MountInfo): boolean => {
    const { target, root } = mount;
    if (target === runDir || target.startsWith(`${runDir}/`) || conf(mount)) return true;
    // Strategy `host` mounts nothing else.
    if (!aside) return false;
    if (target === storeDir) return uppers.some((upper) => isOverlayOn(mount, storeDir, upper));
    // What a reader shows of the volume over the image's.
    if (dirname(target) === storeDir) return root.endsWith(`/upper/${basename(target)}`);
    if (target === stateDir && root.endsWith('/state')) return true;
    if (target === stateDir || target === `${stateDir}/builds`)
      return root.endsWith(target.slice(stateDir.length) || '/var/nix');
    return false;
  };
  return mounts
    .filter(ours)
    .map(({ target }) => target)
    .toReversed();
}

/** Whether a mount is of the nix.conf that we generate, or of the directory around it: of that file system, at that path. */
function generatedConf(mounts: readonly MountInfo[]): (mount: MountInfo) => boolean {
  const under = mountOf(runLayout.nixConf, mounts);
  if (under === undefined) return () => false;
  const { type, source } = under;
  const root = join(under.root, relative(under.target, runLayout.nixConf));
  return (mount) =>
    mount.type === type && mount.source === source && [root, `${root}.d`].includes(mount.root);
}
