import { closeSync, openSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { Exit, errnoOf, InitError } from '../errors.ts';

export type { DatabaseSync };

/** Where Nix keeps its database in a state directory (src/libstore/local-store.cc). */
export const databaseFile = (stateDir: string): string => `${stateDir}/db/db.sqlite`;

/** With the two megabytes that SQLite would take, a large database is read several times over, and its log written twice. */
const CACHE_KIB = 32 * 1024;

/**
 * Opens the Nix database of a state directory, which nobody else has open. Foreign keys are off: rows are deleted in any order, and what refers to
 * them with them. Exclusive, so that the write-ahead log needs no index in shared memory, which a full disk could refuse.
 */
function openDatabase(stateDir: string): DatabaseSync {
  // Loaded here: only a changed image or a used volume needs it, and most boots have neither.
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const database = new DatabaseSync(databaseFile(stateDir), { enableForeignKeyConstraints: false });
  database.exec('pragma locking_mode = exclusive; pragma synchronous = full; pragma temp_store = memory');
  database.exec(`pragma cache_size = -${CACHE_KIB}`);
  return database;
}

/** The name of a database nobody writes to for `attach`, without a lock or a log (sqlite.org/uri.html, "immutable"). */
export const immutable = (path: string): string => `${pathToFileURL(path).href}?immutable=1`;

// Primary result codes of sqlite.org/rescode.html. SQLite knows no EDQUOT: a quota is an I/O error to it.
const errnos: Readonly<Record<number, string>> = {
  5: 'EBUSY',
  6: 'EBUSY',
  7: 'ENOMEM',
  8: 'EROFS',
  10: 'EIO',
  13: 'ENOSPC',
};
const CANNOT_OPEN = 14;
/** To SQLite a file of no bytes is a database without tables. */
const LOGIC = 1;
const CORRUPT = 11;
const NOT_A_DATABASE = 26;

/** What SQLite could not do, with the errno that says so: to the rest of the program a failed system call. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  readonly code: string;

  constructor(code: string, cause: Error) {
    super(`${code}: ${cause.message}`, { cause });
    this.code = code;
  }
}

/**
 * Does something with the Nix database of a state directory that nobody else has open.
 * @param damaged what to do about one that is, for the message.
 * @throws {InitError} 78 when it is damaged; {DatabaseError} for what the disk refuses.
 */
export async function withDatabase<T>(
  stateDir: string,
  damaged: { what: string; remedy: string },
  act: (database: DatabaseSync) => Promise<T>,
): Promise<T> {
  let database: DatabaseSync | undefined;
  try {
    database = openDatabase(stateDir);
    return await act(database);
  } catch (error) {
    throw explainDatabase(error, stateDir, damaged);
  } finally {
    // An open transaction ends with it, undone.
    database?.close();
  }
}

/** Whether an error says that a database is damaged. */
export function isDamage(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return false;
  const primary = error.errcode & 0xff;
  const noTables = primary === LOGIC && error.message.startsWith('no such table');
  return primary === CORRUPT || primary === NOT_A_DATABASE || noTables;
}

/** The error for a damaged database. */
export const damage = (what: string, remedy: string, cause: unknown): InitError =>
  new InitError({ stage: 'reconcile', what, errno: 'EUCLEAN', remedy, exitCode: Exit.config, cause });

function explainDatabase(
  error: unknown,
  stateDir: string,
  { what, remedy }: { what: string; remedy: string },
): unknown {
  if (isDamage(error)) return damage(what, remedy, error);
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return error;
  const primary = error.errcode & 0xff;
  const errno = primary === CANNOT_OPEN ? whyNotOpened(databaseFile(stateDir)) : errnos[primary];
  return errno === undefined ? error : new DatabaseError(errno, error);
}

/** SQLite keeps to itself why it could not open a file, which may be a full disk; so does what it asked for once more. */
function whyNotOpened(file: string): string {
  try {
    closeSync(openSync(file, 'r+'));
    closeSync(openSync(`${file}-wal`, 'a', 0o644));
    return 'EIO';
  } catch (error) {
    return errnoOf(error);
  }
}
