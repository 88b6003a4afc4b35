import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../config/keys.ts';
import { hasErrno } from '../errors.ts';
import { canWrite } from '../linux/access.ts';
import { type MountInfo, mountOf } from '../linux/mountinfo.ts';
import { readIfThere } from '../linux/read.ts';
import { hasLines } from '../state/nix-conf-lines.ts';

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

/** Which nix.conf of these directories have lines of a boot that did not come to take them out, and are ours to change. */
export const findMarkedConfs = (dirs: readonly string[], mounts: readonly MountInfo[]): string[] =>
  dirs
    .filter((dir) => hasLines(readable(`${dir}/nix.conf`)) && isOwnConf(dir, mounts))
    .map((dir) => `${dir}/nix.conf`);

/** What cannot be read is not ours. */
function readable(path: string): string {
  try {
    return readIfThere(path) ?? '';
  } catch (error) {
    if (hasErrno(error, 'EACCES', 'ENOTDIR', 'EISDIR', 'ELOOP')) return '';
    throw error;
  }
}

/** Whether nix.conf is the container's own to change: a mount there, or a link, is somebody else's. */
function isOwnConf(dir: string, mounts: readonly MountInfo[]): boolean {
  if (mountOf(`${dir}/nix.conf`, mounts)?.target !== '/') return false;
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory())
    return realpathSync(dir) === dir && canWrite(dir) && isOwnFile(`${dir}/nix.conf`);
  const above = dirname(dir);
  return above !== dir && isOwnConf(above, mounts);
}

/** Only root can leave somebody else's file to them when it is replaced. */
function isOwnFile(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  const uid = process.geteuid?.();
  return stat === undefined || uid === 0 || stat.uid === uid;
}
