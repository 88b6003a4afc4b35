import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { errnoOf } from '../errors.ts';
import { readIfThere } from '../linux/files.ts';

const database = (stateDir: string): string => `${stateDir}/db/db.sqlite`;
const files = (stateDir: string): string[] => [database(stateDir), `${database(stateDir)}-wal`];

/**
 * How the files of a Nix database look: sizes and times, in two system calls. Equal looks mean an equal database: no
 * other file got its inode at the same nanosecond. Different looks mean nothing yet: the same image, pulled anew.
 * @returns null when there is no database.
 */
export function databaseStat(stateDir: string): string | null {
  const stats = files(stateDir).map((path) => statSync(path, { bigint: true, throwIfNoEntry: false }));
  if (stats[0] === undefined) return null;
  return stats.map((stat) => (stat ? `${stat.size}-${stat.mtimeNs}-${stat.ctimeNs}` : '')).join('+');
}

const CHUNK_BYTES = 4 * 1024 * 1024;

/**
 * The fingerprint of a Nix database: a hash of its contents and of its write-ahead log's. Nothing less will do: in WAL mode
 * the header's change counter stands still (sqlite.org/fileformat.html, 1.3.7), and reproducible images set all times alike.
 * @param onBytes called between pieces; may throw to end it.
 * @returns null when there is no database.
 */
export async function databaseIdentity(
  stateDir: string,
  onBytes: () => void | Promise<void> = () => {},
): Promise<string | null> {
  // Loaded here: only a changed image is hashed, and most boots have none.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const hash = createHash('sha256');
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (const [index, path] of files(stateDir).entries()) {
    const fd = openOrNothing(path);
    if (fd === undefined && index === 0) return null;
    if (fd === undefined) continue;
    try {
      for (let size = readSync(fd, chunk); size > 0; size = readSync(fd, chunk)) {
        hash.update(chunk.subarray(0, size));
        await onBytes();
      }
    } finally {
      closeSync(fd);
    }
  }
  return `sha256-${hash.digest('hex')}`;
}

function openOrNothing(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The number in Nix's `db/schema` file (src/libstore/local-store.cc); null when there is none. */
export function databaseSchema(stateDir: string): number | null {
  const schema = Number.parseInt(readIfThere(`${stateDir}/db/schema`) ?? '', 10);
  return Number.isNaN(schema) ? null : schema;
}
