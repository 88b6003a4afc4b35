import { readdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { DATABASE, databaseLooks, narinfoOf, validPaths } from '../binary-cache/new-paths.ts';
import { hasErrno } from '../errors.ts';
import { batches } from '../nix/program.ts';
import { databaseFile } from '../state/database.ts';

/** Where the paths are that the volume has and the image has not. */
export type Source =
  | {
      kind: 'store';
      /** The directory whose names are those paths: a layer, or a store of the volume's own. */
      names: string;
      storeDir: string;
      /** Whose database says which of them are valid. */
      stateDir: string;
    }
  /** A binary cache: what it describes. */
  | { kind: 'cache'; names: string };

/** So many rows are looked up in one go: init has other things to do. */
const AT_A_TIME = 2000;

/** The part of a store path that tells it from all others (src/libstore/path.hh). */
export const hashPart = (path: string): string => /([^/]{32})-[^/]*$/.exec(path)?.[1] ?? '';

/**
 * The paths that there are, but derivations: those are instantiated anew, and to `nix copy` through Nix 2.14 they stand for what
 * they build.
 * @param isKnown tells by a hash part of a path that need not be looked at.
 */
export async function listPaths(source: Source, isKnown: (hash: string) => boolean): Promise<string[]> {
  const names = await namesIn(source.names);
  if (source.kind === 'cache') return await describedPaths(source.names, names, isKnown);
  const { storeDir, stateDir } = source;
  const paths = names
    .filter((name) => isPath(name) && !isKnown(hashPart(name)))
    .map((name) => `${storeDir}/${name}`);
  const valid: string[] = [];
  for (const some of batches(paths, AT_A_TIME)) {
    valid.push(...validPaths(stateDir, some));
    await turn();
  }
  return valid;
}

/** What is written to when there is a new path: a directory, and names in it. */
export function watched(source: Source): { directory: string; names: RegExp } {
  return source.kind === 'cache'
    ? { directory: source.names, names: /\.narinfo$/ }
    : { directory: dirname(databaseFile(source.stateDir)), names: DATABASE };
}

/** How it looks: unchanged, nothing was added to it. Undefined where only a look into it tells. */
export const looksOf = (source: Source): string | undefined =>
  source.kind === 'cache' ? undefined : databaseLooks(source.stateDir);

const isPath = (name: string): boolean => /^[a-z0-9]{32}-./.test(name) && !name.endsWith('.drv');

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

async function describedPaths(
  cache: string,
  names: readonly string[],
  isKnown: (hash: string) => boolean,
): Promise<string[]> {
  const hashes = names.flatMap((name) => /^([a-z0-9]{32})\.narinfo$/.exec(name)?.[1] ?? []);
  const paths: string[] = [];
  for (const hash of hashes.filter((one) => !isKnown(one))) {
    const path = await describedPath(narinfoOf(cache, `${hash}-`));
    if (path !== undefined && isPath(path.replace(/.*\//, ''))) paths.push(path);
  }
  return paths;
}

/** The store path of a narinfo; one that was taken away meanwhile has none. */
async function describedPath(narinfo: string): Promise<string | undefined> {
  try {
    return /^StorePath: (\S+)$/m.exec(await readFile(narinfo, 'utf8'))?.[1];
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
