import { closeSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import type { DatabaseSync } from '../database.ts';

/** The image's paths that no other path of it refers to: with them, all of it is kept. */
export function topLevelPaths(database: DatabaseSync): string[] {
  const query = `select path from img.ValidPaths where id not in (select id from temp.broken) and id not in (
    select reference from img.Refs where referrer <> reference and referrer not in (select id from temp.broken))`;
  return database
    .prepare(query)
    .all()
    .map(({ path }) => String(path));
}

/**
 * Makes a directory of roots hold one empty file for each of some store paths: a regular file roots the path of its own name
 * (findRoots in Nix's src/libstore/gc.cc), so that nothing dangles while the store is another one.
 */
export function rootPaths(directory: string, names: readonly string[]): void {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const stale = new Set(readdirSync(directory));
  for (const name of names) {
    if (!stale.delete(name)) closeSync(openSync(`${directory}/${name}`, 'w', 0o644));
  }
  for (const name of stale) rmSync(`${directory}/${name}`, { recursive: true });
}
