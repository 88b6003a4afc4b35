import { closeSync, openSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { Exit, errnoOf, type Failure, InitError } from '../errors.ts';

export type { DatabaseSync };

/** Where Nix keeps its database in a state directory (src/libstore/local-store.cc). */
export const databaseFile = (stateDir: string): string => `${stateDir}/db/db.sqlite`;

/** Who else may have a database open. Nix waits for an hour; a person would not. */
export type Sharing = 'alone' | 'with Nix';

const BUSY_MS = 60_000;

/**
 * How much of a database SQLite keeps in memory. With few pages, a large one that is changed here and there is read several times
 * over, and its log written twice. Who reads in order needs no more: memory that is new costs more than reading does.
 */
const cacheKib = { few: 2 * 1024, many: 32 * 1024 } as const;

/** How many pages of the main database SQLite is to keep from now on. */
export const keepPages = (database: DatabaseSync, pages: keyof typeof cacheKib): void =>
  database.exec(`pragma main.cache_size = -${cacheKib[pages]}`);

/**
 * Opens the Nix database of a state directory. Foreign keys are off: rows are deleted in any order, and what refers to
 * them with them. Alone, it is exclusive, so that the write-ahead log needs no index in shared memory, which a full disk could
 * refuse.
 */
function openDatabase(stateDir: string, sharing: Sharing): DatabaseSync {
  // Loaded here: only a changed image or a used volume needs it, and most boots have neither.
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const options = { enableForeignKeyConstraints: false, timeout: sharing === 'alone' ? 0 : BUSY_MS };
  const database = new DatabaseSync(databaseFile(stateDir), options);
  if (sharing === 'alone') database.exec('pragma locking_mode = exclusive');
  database.exec('pragma synchronous = full; pragma temp_store = memory');
  keepPages(database, 'many');
  return database;
}

/**
 * Opens a database for reading.
 * @param name a path, or what `immutable` makes of one.
 */
export function openForReading(name: string): DatabaseSync {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const place = name.startsWith('file:') ? new URL(name) : name;
  const database = new DatabaseSync(place, { readOnly: true, timeout: BUSY_MS });
  database.exec('pragma temp_store = memory');
  return database;
}

/** The name of a database nobody writes to for `attach`: only read, without a lock or a log (sqlite.org/uri.html). */
export const immutable = (path: string): string => `${pathToFileURL(path).href}?mode=ro&immutable=1`;

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
 * Does something with the Nix database of a state directory.
 * @param damaged what to do about one that is, for the message.
 * @throws {InitError} 78 when it is damaged; {DatabaseError} for what the disk refuses.
 */
export async function withDatabase<T>(
  stateDir: string,
  damaged: Damage,
  act: (database: DatabaseSync) => Promise<T>,
  sharing: Sharing = 'alone',
): Promise<T> {
  let database: DatabaseSync | undefined;
  try {
    database = openDatabase(stateDir, sharing);
    return await act(database);
  } catch (error) {
    throw isDamage(error) ? damage(damaged, error) : explainDatabase(error, databaseFile(stateDir));
  } finally {
    // An open transaction ends with it, undone.
    database?.close();
  }
}

/** A file that is a database to SQLite, but not to Nix. */
export class DamagedDatabase extends Error {
  override readonly name = 'DamagedDatabase';
}

/** @throws {DamagedDatabase} for a database without the tables that all of Nix's have. */
export function requireTables(database: DatabaseSync): void {
  const query = `select count(*) as tables from sqlite_master where name in ('ValidPaths', 'Refs', 'DerivationOutputs')`;
  if (Number(database.prepare(query).get()?.['tables']) < 3)
    throw new DamagedDatabase('it has not the tables of a Nix database');
}

/** The primary result code of an error of SQLite. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined;
  return error.errcode & 0xff;
}

/** Whether an error says that a database is damaged. */
export function isDamage(error: unknown): error is Error {
  const primary = resultCode(error);
  const noTables = primary === LOGIC && error instanceof Error && error.message.startsWith('no such table');
  return error instanceof DamagedDatabase || primary === CORRUPT || primary === NOT_A_DATABASE || noTables;
}

/** What to say of a damaged database. */
export type Damage = Pick<Failure, 'stage' | 'what' | 'remedy'>;

/** The error for a damaged database. */
export const damage = (damaged: Damage, cause: unknown): InitError =>
  new InitError({ ...damaged, errno: 'EUCLEAN', exitCode: Exit.config, cause });

/**
 * Makes a failed system call of what SQLite could not do; any other error stays as it is.
 * @param file the database.
 */
export function explainDatabase(error: unknown, file: string): unknown {
  const primary = resultCode(error) ?? 0;
  const errno = primary === CANNOT_OPEN ? whyNotOpened(file) : errnos[primary];
  return errno === undefined ? error : new DatabaseError(errno, error as Error);
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
