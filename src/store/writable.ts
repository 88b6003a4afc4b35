import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../config/keys.ts';
import { canWrite } from '../linux/access.ts';
import { type MountInfo, mountOf } from '../linux/mountinfo.ts';

/** What we may write to as we are. */
export type Writable = {
  /** The store and its state. */
  store: boolean;
  volume: boolean;
  /** nix.conf, in a directory that is the container's own: what is mounted there is somebody else's. */
  nixConf: boolean;
};

export function lookForWritable(
  { storeDir, stateDir, cacheDir }: Config,
  confDir: string,
  mounts: readonly MountInfo[],
): Writable {
  return {
    store: [storeDir, stateDir].every(canWrite),
    volume: canWrite(cacheDir),
    nixConf: isOwnConf(confDir, mounts),
  };
}

/** Whether nix.conf is the container's own to change: a mount there, or a link, is somebody else's. */
function isOwnConf(dir: string, mounts: readonly MountInfo[]): boolean {
  if (mountOf(`${dir}/nix.conf`, mounts)?.target !== '/') return false;
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory())
    return realpathSync(dir) === dir && canWrite(dir);
  const above = dirname(dir);
  return above !== dir && isOwnConf(above, mounts);
}
