import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { errnoOf } from '../errors.ts';
import { readIfThere } from '../linux/files.ts';
import { databaseFile } from './database.ts';

/** Where an image keeps what it is known by. */
export type ImagePlaces = { stateDir: string; storeDir: string };

const files = (stateDir: string): string[] => [databaseFile(stateDir), `${databaseFile(stateDir)}-wal`];

/**
 * How an image looks: sizes and times of its database's files and of its store directory, in three system calls. Equal looks
 * mean an equal image: no other file got its inode at the same nanosecond. Different looks mean nothing yet: the same image,
 * pulled anew.
 */
export function imageLooks({ stateDir, storeDir }: ImagePlaces): string {
  const stats = [...files(stateDir), storeDir].map((path) =>
    statSync(path, { bigint: true, throwIfNoEntry: false }),
  );
  return stats.map((stat) => (stat ? `${stat.size}-${stat.mtimeNs}-${stat.ctimeNs}` : '')).join('+');
}

const CHUNK_BYTES = 4 * 1024 * 1024;

/**
 * The fingerprint of an image: a hash of its database, of the write-ahead log, and of the names in its store, without which
 * an image that has no database could not be told from another. Nothing less will do: in WAL mode the header's change
 * counter stands still (sqlite.org/fileformat.html, 1.3.7), and reproducible images set all times alike.
 * @param names what is in the image's store, in any order; asked for when the files are done.
 * @param onBytes called between pieces; may throw to end it.
 */
export async function imageIdentity(
  { stateDir }: ImagePlaces,
  names: Iterable<string> | Promise<Iterable<string>>,
  onBytes: () => void | Promise<void> = () => {},
): Promise<string> {
  // Loaded here: only a changed image is hashed, and most boots have none.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const hash = createHash('sha256');
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (const path of files(stateDir)) {
    const fd = openOrNothing(path);
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
  hash.update([...(await names)].sort().join('/'));
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

/** The numbers in Nix's `db/schema` and, with content-addressed derivations, `db/ca-schema`; null where there is none. */
export type Schemas = { schema: number | null; ca: number | null };

/** Reads which schemas a state directory's database is of (src/libstore/local-store.cc). */
export function databaseSchemas(stateDir: string): Schemas {
  const number = (name: string): number | null => {
    const schema = Number.parseInt(readIfThere(`${stateDir}/db/${name}`) ?? '', 10);
    return Number.isNaN(schema) ? null : schema;
  };
  return { schema: number('schema'), ca: number('ca-schema') };
}
