import { closeSync, copyFileSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { type DatabaseSync, isDamage, requireTables } from '../database.ts';
import { unwrittenLogs } from '../reconcile/image-database.ts';
import { columnsOf, type Row, rowColumns } from '../reconcile/rows.ts';

/**
 * Reads what can still be read of a damaged database, in a copy. Only rows of which all that they refer to is known: nothing
 * else could tell.
 * @param file the damaged database.
 * @param like a whole one, made by the same Nix if possible.
 * @param copy where the copy may be.
 */
export function salvage(file: string, like: string, copy: string): Row[] {
  for (const attempt of attempts) {
    copyDatabase(file, copy, attempt.log);
    if (attempt.firstPage) replaceFirstPage(copy, like);
    const salvaged = readCopy(copy);
    if (salvaged.length > 0) return salvaged;
  }
  return [];
}

/**
 * Without its first page, a database is no database to SQLite; but Nix makes its tables in one order, so that another one's
 * says where they are. What is read that way has to prove itself like all else.
 */
const attempts = [
  { log: true, firstPage: false },
  { log: true, firstPage: true },
  { log: false, firstPage: false },
  { log: false, firstPage: true },
] as const;

function copyDatabase(file: string, copy: string, log: boolean): void {
  for (const suffix of ['-wal', '-shm', '-journal']) rmSync(copy + suffix, { force: true });
  for (const suffix of ['', ...(log ? unwrittenLogs(file) : [])]) copyFileSync(file + suffix, copy + suffix);
}

// sqlite.org/fileformat.html, 1.3: all numbers big-endian.
const HEADER_BYTES = 100;
const PAGE_SIZE = 16;
const CHANGE_COUNTER = 24;
const PAGE_COUNT = 28;
const FREE_LIST = 32;
const FREE_COUNT = 36;
const VALID_FOR = 92;

function replaceFirstPage(copy: string, like: string): void {
  const header = Buffer.alloc(HEADER_BYTES);
  const source = openSync(like, 'r');
  const target = openSync(copy, 'r+');
  try {
    readSync(source, header, 0, HEADER_BYTES, 0);
    const size = header.readUInt16BE(PAGE_SIZE);
    const page = Buffer.alloc(size === 1 ? 65536 : size);
    readSync(source, page, 0, page.length, 0);
    page.writeUInt32BE(Math.floor(statSync(copy).size / page.length), PAGE_COUNT);
    page.copy(page, VALID_FOR, CHANGE_COUNTER, CHANGE_COUNTER + 4);
    // Which pages are free is not known. Nobody will write here.
    page.fill(0, FREE_LIST, FREE_COUNT + 4);
    writeSync(target, page, 0, page.length, 0);
  } finally {
    closeSync(source);
    closeSync(target);
  }
}

function readCopy(copy: string): Row[] {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(copy, { defensive: false, enableForeignKeyConstraints: false });
    // With it SQLite takes a file that is shorter than it should be for what it is.
    database.exec('pragma writable_schema = on; pragma temp_store = memory');
    requireTables(database);
    return readAll(database, copy);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return [];
  } finally {
    database?.close();
  }
}

function readAll(database: DatabaseSync, copy: string): Row[] {
  const rows = readPaths(database, copy);
  const referencesOf = referenceReader(database, copy);
  const outputsOf = database.prepare('select id, path from DerivationOutputs where drv = ?');
  return [...rows].flatMap(([id, row]) => {
    const references = referencesOf(id)?.map((reference) => rows.get(reference)?.path);
    const outputs = orUndefined(() => outputsOf.all(id));
    if (outputs === undefined || !allStrings(references)) return [];
    return {
      ...row,
      references,
      outputs: outputs.map((output) => [String(output['id']), String(output['path'])]),
    };
  });
}

const allStrings = (list: readonly unknown[] | undefined): list is string[] =>
  list?.every((item) => typeof item === 'string') ?? false;

function readPaths(database: DatabaseSync, copy: string): Map<number, Row> {
  const columns = columnsOf(database, 'main').map((column) => `ValidPaths.${column}`);
  const statement = database.prepare(
    `select id, ${columns.join(', ')} from ValidPaths where id between ? and ?`,
  );
  const read = (from: number, to: number) => statement.all(from, to);
  const rows = new Map<number, Row>();
  const nothing = Object.fromEntries(rowColumns.map((column) => [column, null]));
  for (const { id, ...found } of readRanges(read, 0, lastId(database, 'ValidPaths', copy)).found) {
    const row = { ...nothing, ...found, references: [], outputs: [] } as unknown as Row;
    if (typeof row.path === 'string' && typeof row.hash === 'string') rows.set(Number(id), row);
  }
  return rows;
}

/**
 * Tells what a row refers to. That is in the table and once more in its index: what one of them cannot say the other may.
 * @returns a function that returns undefined when neither can.
 */
function referenceReader(database: DatabaseSync, copy: string): (id: number) => number[] | undefined {
  const scan = database.prepare(
    'select referrer, reference from Refs not indexed where rowid between ? and ?',
  );
  const read = (from: number, to: number) => scan.all(from, to);
  const { found, complete } = readRanges(read, 0, lastId(database, 'Refs', copy));
  const table = Map.groupBy(found, ({ referrer }) => Number(referrer));
  const index = database.prepare('select reference from Refs where referrer = ?');
  return (id) => {
    const indexed = orUndefined(() => index.all(id));
    if (indexed === undefined && !complete) return undefined;
    const references = [...(indexed ?? []), ...(table.get(id) ?? [])];
    return [...new Set(references.map(({ reference }) => Number(reference)))];
  };
}

/** No row of a Nix database is shorter. */
const SHORTEST_ROW_BYTES = 16;

/** The highest row ID, or where that cannot be read what it cannot exceed if few rows were deleted. */
function lastId(database: DatabaseSync, table: string, copy: string): number {
  const last = orUndefined(() =>
    database.prepare(`select max(rowid) as last from ${table} not indexed`).get(),
  );
  return last === undefined ? Math.ceil(statSync(copy).size / SHORTEST_ROW_BYTES) : Number(last['last'] ?? 0);
}

type Cells = Record<string, unknown>;

/** Reads rows by ranges of IDs; around those that cannot be read, in ever smaller ones. */
function readRanges(
  read: (from: number, to: number) => Cells[],
  from: number,
  to: number,
): { found: Cells[]; complete: boolean } {
  const found = orUndefined(() => read(from, to));
  if (found !== undefined) return { found, complete: true };
  if (from === to) return { found: [], complete: false };
  const middle = Math.floor((from + to) / 2);
  const [left, right] = [readRanges(read, from, middle), readRanges(read, middle + 1, to)];
  return { found: left.found.concat(right.found), complete: false };
}

/** What was read, or undefined where the database is damaged. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}
