import { closeSync, linkSync, openSync, readdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { hasErrno } from '../../errors.ts';
import { makeDirectories } from '../../linux/directories.ts';
import { removeTree } from '../../linux/remove.ts';
import type { DatabaseSync } from '../database.ts';

/**
 * The image's paths that no other path of it refers to: with them, all of it is kept. What counts is how many refer to a path,
 * which the index knows by itself: twice as fast as looking at each reference.
 */
export function topLevelPaths(database: DatabaseSync): string[] {
  const broken = 'select id from temp.broken';
  const itself = '(select 1 from img.Refs where referrer = r.reference and reference = r.reference)';
  const others = database.prepare(broken).get()
    ? `count(*) > exists ${itself} + (select count(*) from temp.broken b cross join img.Refs s
        on s.referrer = b.id and s.reference = r.reference)`
    : `count(*) > 1 or not exists ${itself}`;
  const query = `
    with tops (id) as (
      select id from img.ValidPaths except ${broken}
      except select reference from img.Refs r group by reference having ${others})
    select json_group_array(path) as paths from tops cross join img.ValidPaths v on v.id = tops.id`;
  return JSON.parse(String(database.prepare(query).get()?.['paths']));
}

/** Where a state directory has the roots of the image's paths. */
export const imageRoots = (stateDir: string): string => `${stateDir}/gcroots/image`;

/** What is in a directory of roots, read on another thread; nothing where there is none. */
export const listRoots = (directory: string): Promise<string[]> =>
  readdir(directory).catch((error: unknown) => {
    if (!hasErrno(error, 'ENOENT')) throw error;
    return [];
  });

/**
 * Makes a directory of roots hold one empty file for each of some store paths: a regular file roots the path of its own name
 * (findRoots in Nix's src/libstore/gc.cc), so that nothing dangles while the store is another one.
 * @param present what is in it, where that is known.
 * @returns what removes those of other paths.
 */
export function rootPaths(
  directory: string,
  names: readonly string[],
  present?: readonly string[],
): () => void {
  makeDirectories(directory, 0o755);
  const stale = new Set(present ?? readdirSync(directory));
  let made: string | undefined;
  for (const name of names) {
    if (stale.delete(name)) continue;
    const root = `${directory}/${name}`;
    if (made !== undefined && gaveName(made, root)) continue;
    closeSync(openSync(root, 'w', 0o644));
    made = root;
  }
  return () => {
    for (const name of stale) removeTree(`${directory}/${name}`);
  };
}

/**
 * Gives a file another name: several times faster than another empty file, and takes no inode for each of very many roots.
 * @returns false where it can have no more (link(2)): there are too many, or the file system knows no such thing.
 */
function gaveName(file: string, name: string): boolean {
  try {
    linkSync(file, name);
    return true;
  } catch (error) {
    if (hasErrno(error, 'EMLINK', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP')) return false;
    throw error;
  }
}
