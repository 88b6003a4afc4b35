import { copyFileSync, existsSync, statSync } from 'node:fs';
import { makeDirectories } from '../../linux/directories.ts';
import { removeTree } from '../../linux/remove.ts';
import { type DatabaseSync, databaseFile, immutable } from '../database.ts';

/** What SQLite keeps beside a database that was not closed: of what is there, all or nothing is to be believed. */
export const databaseLogs = ['-wal', '-journal'];

/** The logs beside a database of which something was not written back. */
export const unwrittenLogs = (file: string): string[] =>
  databaseLogs.filter((log) => (statSync(file + log, { throwIfNoEntry: false })?.size ?? 0) > 0);

/**
 * By which name a database that nobody writes to can be read without changing anything. One with a log that was not written
 * back is read from a copy: it may be read-only, and without a lock SQLite would not look at the log.
 * @param scratch a directory for the copy, which the caller removes when the database is closed.
 */
export function stillName(file: string, scratch: string): string {
  const unwritten = unwrittenLogs(file);
  if (unwritten.length === 0) return immutable(file);
  makeDirectories(scratch);
  const name = `${scratch}/db.sqlite`;
  for (const suffix of ['', ...unwritten]) copyFileSync(file + suffix, name + suffix);
  return name;
}

/**
 * Attaches the image's database as `img`, for reading.
 * @param scratch a directory for a copy, which the caller removes when the database is closed.
 * @returns false when the image has no database, or an empty one.
 */
export function attachImage(database: DatabaseSync, stateDir: string, scratch: string): boolean {
  removeTree(scratch);
  const file = databaseFile(stateDir);
  if (!existsSync(file)) return false;
  database.prepare('attach ? as img').run(stillName(file, scratch));
  return hasTable(database, 'img', 'ValidPaths');
}

/** Whether one of the open databases has a table. */
export function hasTable(database: DatabaseSync, schema: 'main' | 'img', table: string): boolean {
  const query = `select 1 from ${schema}.sqlite_master where type = 'table' and name = ?`;
  return database.prepare(query).get(table) !== undefined;
}
