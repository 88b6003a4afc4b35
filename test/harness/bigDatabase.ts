import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';

/** One in so many paths is of a kind that nothing refers to: a program, not a library. */
const TOP_LEVEL_EVERY = 10;
/** One in so many paths, all of them of that kind and the first of those, is in one generation of the image only. */
const CHANGED_EVERY = 100;
const FIRST_TIME = 1_700_000_000;
const base32 = '0123456789abcdfghijklmnpqrsvwxyz';
const inBase32 = (bytes: Uint8Array): string => Array.from(bytes, (byte) => base32[byte & 31]).join('');
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export type Generation = 'old' | 'new';

export const isChanged = (index: number): boolean => index % CHANGED_EVERY === TOP_LEVEL_EVERY - 1;

/** The store path of a row: of the usual length, about 70 characters. */
export function pathOf(index: number, generation: Generation): string {
  const name = `library-package-${index}-1.${index % 90}.${isChanged(index) ? generation : 'x'}`;
  return `/nix/store/${inBase32(digest(name))}-${name}`;
}

const isTopLevel = (index: number): boolean => index % TOP_LEVEL_EVERY === TOP_LEVEL_EVERY - 1;

/**
 * The last library before it; some early paths that everything refers to, as to a libc; some from anywhere before it; and
 * one in three refers to itself.
 */
function referencesOf(index: number): number[] {
  const bytes = digest(`references ${index}`);
  const wanted = 3 + (bytes.readUInt8(0) % 3);
  const candidates = Array.from({ length: wanted }, (_, n) => {
    const random = bytes.readUInt32LE(4 + n * 4);
    return n < 2 ? random % Math.min(50, index || 1) : random % (index || 1);
  });
  const before = isTopLevel(index - 1) ? index - 2 : index - 1;
  const others = [before, ...candidates].filter(
    (candidate) => candidate >= 0 && candidate < index && !isTopLevel(candidate),
  );
  return [...new Set(index % 3 === 0 ? [...others, index] : others)];
}

/** A row as a substituter's narinfo gives it, or a source that was added, or something built here. */
function valuesOf(index: number, path: string): (string | number | null)[] {
  const bytes = digest(`values ${index} ${path}`);
  const hash = bytes.toString('hex');
  const source = index % 20 === 7;
  const local = index % 50 === 3;
  const twice = Buffer.concat([bytes, bytes]);
  const deriver = source ? null : `${path}.drv`;
  const sigs = source || local ? null : `cache.example.org-1:${twice.toString('base64')}`;
  // The first of 52 characters holds the last of 256 bits.
  const ca = source ? `fixed:r:sha256:1${inBase32(twice).slice(0, 51)}` : null;
  const size = 1000 + (bytes.readUInt32LE(0) % 50_000_000);
  return [path, `sha256:${hash}`, FIRST_TIME + index, deriver, size, local ? 1 : null, sigs, ca];
}

const columns = 'path, hash, registrationTime, deriver, narSize, ultimate, sigs, ca';

/** Adds so many paths and their references to a database that Nix made. */
export function addRows(file: string, rows: number): void {
  using database = open(file);
  const write = writer(database, 'old');
  database.exec('begin');
  for (let index = 0; index < rows; index += 1) write(index);
  database.exec('commit');
}

/** The next image, made on top of this one: what has changed goes, what is new comes, and all else keeps its row. */
export function toNewGeneration(file: string, rows: number): void {
  using database = open(file);
  const remove = database.prepare('delete from ValidPaths where path = ?');
  const write = writer(database, 'new');
  database.exec('begin');
  for (let index = 0; index < rows; index += 1) {
    if (!isChanged(index)) continue;
    remove.run(pathOf(index, 'old'));
    write(index);
  }
  database.exec('commit');
}

/** The same contents in an empty database: the next image, made from nothing, with all rows in another order. */
export function rebuildRows(file: string, from: string): void {
  using database = open(file);
  database.prepare('attach ? as source').run(from);
  const id = (path: string): string => `(select id from main.ValidPaths where path = ${path})`;
  database.exec(`
      begin;
      insert into main.ValidPaths (${columns}) select ${columns} from source.ValidPaths order by path;
      insert into main.Refs select ${id('a.path')}, ${id('b.path')} from source.Refs
        join source.ValidPaths a on a.id = referrer join source.ValidPaths b on b.id = reference;
      insert into main.DerivationOutputs (drv, id, path) select ${id('a.path')}, o.id, o.path
        from source.DerivationOutputs o join source.ValidPaths a on a.id = o.drv;
      commit;
    `);
}

function writer(database: DatabaseSync, generation: Generation): (index: number) => void {
  const row = database.prepare(`insert into ValidPaths (${columns}) values (?, ?, ?, ?, ?, ?, ?, ?)`);
  const reference = database.prepare('insert into Refs select ?, id from ValidPaths where path = ?');
  return (index) => {
    const { lastInsertRowid } = row.run(...valuesOf(index, pathOf(index, generation)));
    for (const other of referencesOf(index)) reference.run(lastInsertRowid, pathOf(other, generation));
  };
}

/** Nothing of it is durable: it is made anew when the machine goes down. */
function open(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  database.exec('pragma synchronous = off; pragma foreign_keys = on; pragma cache_size = -200000');
  return database;
}
