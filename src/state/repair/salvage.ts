import { closeSync, copyFileSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { type DatabaseSync, isDamage, requireTables } from '../database.ts';
import { unwrittenLogs } from '../reconcile/image-database.ts';
import { columnsOf, type Row, rowColumns } from '../reconcile/rows.ts';
import { type Cells, orUndefined, readRanges } from './ranges.ts';
import { referenceReader } from './references.ts';

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
  const referencesOf = referenceReader(database);
  const outputsOf = database.prepare('select id, path from DerivationOutputs where drv = ?');
  return [...rows].flatMap(([id, row]) => {
    const references = referencesOf(id)?.map((reference) => rows.get(reference)?.path);
    const outputs = orUndefined(() => outputsOf.all(id))?.map(({ id: name, path }) => [name, path]);
    if (outputs === undefined || !isTexts(references) || !outputs.every(isOutput)) return [];
    // Nix can do nothing with it, and evaluating makes it anew.
    if (row.path.endsWith('.drv') && outputs.length === 0) return [];
    return { ...row, references, outputs };
  });
}

/** What Nix writes is ASCII; what was overwritten rarely is. */
const isText = (value: unknown): value is string => typeof value === 'string' && /^[ -~]+$/.test(value);

const isTexts = (list: readonly unknown[] | undefined): list is string[] => list?.every(isText) ?? false;

const isOutput = (output: unknown[]): output is [string, string] => isTexts(output) && output.length === 2;

/** Whether a row can be one that Nix wrote. */
function isRow(cells: Cells): boolean {
  const { path, hash, registrationTime, deriver, narSize, ultimate, sigs, ca } = cells;
  const number = (value: unknown): boolean => value === null || Number.isInteger(value);
  const text = (value: unknown): boolean => value === null || value === '' || isText(value);
  return (
    isTexts([path, hash]) &&
    Number.isInteger(registrationTime) &&
    [narSize, ultimate].every(number) &&
    [deriver, sigs, ca].every(text)
  );
}

function readPaths(database: DatabaseSync, copy: string): Map<number, Row> {
  const columns = columnsOf(database, 'main').map((column) => `ValidPaths.${column}`);
  const statement = database.prepare(
    `select id, ${columns.join(', ')} from ValidPaths where id between ? and ?`,
  );
  const read = (from: number, to: number) => statement.all(from, to);
  const rows = new Map<number, Row>();
  const nothing = Object.fromEntries(rowColumns.map((column) => [column, null]));
  for (const { id, ...found } of readRanges(read, 0, lastId(database, copy)).found) {
    const cells = { ...nothing, ...found };
    if (isRow(cells)) rows.set(Number(id), { ...cells, references: [], outputs: [] } as unknown as Row);
  }
  return rows;
}

/** A path, its hash and numbers. */
const SHORTEST_ROW_BYTES = 128;

/** The highest ID of a row, or what is not below it. */
function lastId(database: DatabaseSync, copy: string): number {
  const sources = [
    'select max(id) as last from ValidPaths',
    `select seq as last from sqlite_sequence where name = 'ValidPaths'`,
    'select max(referrer) as last from Refs',
  ];
  for (const source of sources) {
    const last = orUndefined(() => database.prepare(source).get())?.['last'];
    if (last !== undefined && last !== null) return Number(last);
  }
  return Math.ceil(statSync(copy).size / SHORTEST_ROW_BYTES);
}
