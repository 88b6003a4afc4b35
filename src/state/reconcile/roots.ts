import { closeSync, linkSync, openSync, readdirSync } from 'node:fs';
import { hasErrno } from '../../errors.ts';
import { makeDirectories, removeTree } from '../../linux/files.ts';
import type { DatabaseSync } from '../database.ts';

/**
 * The image's paths that no other path of it refers to: with them, all of it is kept. What counts is how many refer to a path,
 * which the index knows by itself: twice as fast as looking at each reference.
 */
export function topLevelPaths(database: DatabaseSync): string[] {
  const broken = 'select id from temp.broken';
  const query = `select json_group_array(path) as paths from img.ValidPaths where id not in (${broken})
    and id not in (select reference from img.Refs r group by reference
      having count(*) > exists (select 1 from img.Refs where referrer = r.reference and reference = r.reference)
        + (select count(*) from temp.broken b cross join img.Refs s on s.referrer = b.id and s.reference = r.reference))`;
  return JSON.parse(String(database.prepare(query).get()?.['paths']));
}

/**
 * Makes a directory of roots hold one empty file for each of some store paths: a regular file roots the path of its own name
 * (findRoots in Nix's src/libstore/gc.cc), so that nothing dangles while the store is another one.
 */
export function rootPaths(directory: string, names: readonly string[]): void {
  makeDirectories(directory, 0o755);
  const stale = new Set(readdirSync(directory));
  let last: string | undefined;
  for (const name of names) {
    const root = `${directory}/${name}`;
    if (!stale.delete(name) && !(last !== undefined && isLinked(last, root)))
      closeSync(openSync(root, 'w', 0o644));
    last = root;
  }
  for (const name of stale) removeTree(`${directory}/${name}`);
}

/**
 * Another name for the same empty file: several times faster than a new file, and no inode for each of very many roots.
 * @returns false where there can be no other name (link(2)): too many have been given, or the file system knows none.
 */
function isLinked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (hasErrno(error, 'EMLINK', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP')) return false;
    throw error;
  }
}
