import { readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { posix } from 'node:path';
import { hasErrno, systemErrno } from '../../errors.ts';
import { type MountInfo, mountOf } from '../../linux/mountinfo.ts';
import { entryPath } from '../tree.ts';
import { autoDir, type RootPlaces } from './place.ts';
import { type IndirectRoot, markOf, outlivesContainer } from './roots.ts';

/** What is at a path: a link and where it leads, something else, nothing, or what cannot be told. */
export type Seen = { is: 'link'; target: string } | { is: 'other' | 'missing' | 'unknown' };

export function look(path: string | Buffer): Seen {
  try {
    return { is: 'link', target: readlinkSync(path, 'latin1') };
  } catch (error) {
    if (hasErrno(error, 'EINVAL')) return { is: 'other' };
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return { is: 'missing' };
    if (systemErrno(error) === undefined) throw error;
    return { is: 'unknown' };
  }
}

/** The store path that a link in a project leads to, as Nix looks at it: directly (src/libstore/gc.cc, findRoots). */
export function storePathOf(seen: Seen, storeDir: string): string | null | undefined {
  if (seen.is === 'unknown') return undefined;
  if (seen.is !== 'link' || !seen.target.startsWith(`${storeDir}/`)) return null;
  const name = seen.target.slice(storeDir.length + 1).split('/')[0];
  return name ? `${storeDir}/${name}` : null;
}

/** What a root's link in its project leads to now. */
export const storePathAt = (target: string, storeDir: string): string | null | undefined =>
  storePathOf(look(toBytes(target)), toLatin1(storeDir));

/** The names in `gcroots/auto`. */
export function listAuto(state: string): string[] {
  try {
    return readdirSync(autoDir(state), 'latin1');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

export type Observed = {
  roots: IndirectRoot[];
  /** Whether another look at an unchanged `gcroots/auto` would show no more: nothing leads to where nothing is yet. */
  complete: boolean;
};

/** Those of these names in `gcroots/auto` that are roots in mounted directories, as they are now. */
export function observe(names: Iterable<string>, places: RootPlaces): Observed {
  const storeDir = toLatin1(places.storeDir);
  const stateDir = toLatin1(places.stateDir);
  let mounts: readonly MountInfo[] | undefined;
  const observed: Observed = { roots: [], complete: true };
  for (const auto of names) {
    const link = look(entryPath(autoDir(places.state), auto));
    if (link.is !== 'link') continue;
    const target = posix.resolve(`${stateDir}/gcroots/auto`, link.target);
    // Those are on the volume, or direct roots.
    if ([stateDir, storeDir].some((dir) => target.startsWith(`${dir}/`))) continue;
    const seen = look(toBytes(target));
    if (seen.is === 'missing' || seen.is === 'unknown') observed.complete = false;
    const storePath = storePathOf(seen, storeDir);
    if (!storePath) continue;
    mounts ??= places.mounts();
    const mount = mountBelow(target, mounts);
    if (mount !== undefined && outlivesContainer(mount))
      observed.roots.push({ auto, target, storePath, mount: markOf(mount) });
  }
  return observed;
}

function mountBelow(target: string, mounts: readonly MountInfo[]): MountInfo | undefined {
  try {
    // Mount points are read as UTF-8, however they are meant.
    return mountOf(realpathSync(toBytes(posix.dirname(target))), mounts);
  } catch (error) {
    if (systemErrno(error) === undefined) throw error;
    return undefined;
  }
}

const toLatin1 = (path: string): string => Buffer.from(path).toString('latin1');
const toBytes = (path: string): Buffer => Buffer.from(path, 'latin1');
