import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { errnoOf } from '../errors.ts';

/** Bytes of an SQLite header; its change counter and schema cookie move with every committed transaction. */
const HEADER_BYTES = 100;

/**
 * A fingerprint of a Nix database: header, size and time, and those of its write-ahead log. Five system calls,
 * whatever the size (https://www.sqlite.org/fileformat.html#the_database_header).
 * @returns null when there is no database.
 */
export function databaseIdentity(stateDir: string): string | null {
  const path = `${stateDir}/db/db.sqlite`;
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    readSync(fd, header, 0, HEADER_BYTES, 0);
    const { size, mtimeMs } = fstatSync(fd);
    const wal = statSync(`${path}-wal`, { throwIfNoEntry: false });
    const log = wal && wal.size > 0 ? `-${wal.size}-${Math.trunc(wal.mtimeMs)}` : '';
    // Offset 24: file change counter, 40: schema cookie, 92: version-valid-for.
    const counters = [24, 40, 92].map((offset) => header.readUInt32BE(offset).toString(16));
    return `${counters.join('-')}-${size}-${Math.trunc(mtimeMs)}${log}`;
  } finally {
    closeSync(fd);
  }
}

/** The number in Nix's `db/schema` file (src/libstore/local-store.cc); null when there is none. */
export function databaseSchema(stateDir: string): number | null {
  try {
    const schema = Number.parseInt(readFileSync(`${stateDir}/db/schema`, 'utf8'), 10);
    return Number.isNaN(schema) ? null : schema;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}
