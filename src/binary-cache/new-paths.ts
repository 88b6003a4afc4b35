import { existsSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { type DatabaseSync, databaseFile, explainDatabase, openForReading } from '../state/database.ts';

/** A path that came to be valid: rows get ever higher numbers. */
export type NewPath = { id: number; path: string };

/** The number of the last path that the store has; 0 without a database. */
export const lastPath = (stateDir: string): number =>
  inDatabase(stateDir, 0, (database) =>
    Number(database.prepare('select max(id) as last from ValidPaths').get()?.['last'] ?? 0),
  );

/**
 * The paths that the store has got since, in their order. Not derivations: those are instantiated anew, and to `nix copy`
 * through Nix 2.14 they stand for what they build.
 */
export const pathsSince = (stateDir: string, since: number): NewPath[] =>
  inDatabase(stateDir, [], (database) =>
    database
      .prepare(`select id, path from ValidPaths where id > ? and path not like '%.drv' order by id`)
      .all(since)
      .map(({ id, path }) => ({ id: Number(id), path: String(path) })),
  );

/** Those of these store paths that are valid. */
export const validPaths = (stateDir: string, paths: Iterable<string>): Set<string> =>
  inDatabase(stateDir, new Set<string>(), (database) => {
    const one = database.prepare('select 1 from ValidPaths where path = ?');
    return new Set([...paths].filter((path) => one.get(path) !== undefined));
  });

/** The names in its directory that are written to when something is added to the store. */
export const DATABASE = /^db\.sqlite(-wal)?$/;

/** How the database looks: unchanged, nothing was added to it. A log without contents is as good as none. */
export function databaseLooks(stateDir: string): string {
  const file = databaseFile(stateDir);
  return [file, `${file}-wal`]
    .map((path) => statSync(path, { bigint: true, throwIfNoEntry: false }))
    .map((stat) => (stat === undefined || stat.size === 0n ? '' : `${stat.size}-${stat.mtimeNs}`))
    .join(' ');
}

/** The file in the binary cache that says that it has a path. */
export const narinfoOf = (cache: string, path: string): string =>
  `${cache}/${basename(path).slice(0, 32)}.narinfo`;

/** Never waiting for Nix: init has other things to do, and whoever asks is told of the next change. */
function inDatabase<T>(stateDir: string, without: T, act: (database: DatabaseSync) => T): T {
  const file = databaseFile(stateDir);
  if (!existsSync(file)) return without;
  let database: DatabaseSync | undefined;
  try {
    database = openForReading(file);
    database.exec('pragma busy_timeout = 0');
    return act(database);
  } catch (error) {
    throw explainDatabase(error, file);
  } finally {
    database?.close();
  }
}
