import { statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
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

/** Whether two images that look so may be the same one, of which a copy was pulled: as large are its database and its log. */
export function mayBeAlike(looks: string, others: string): boolean {
  const sizes = (text: string): (string | undefined)[] =>
    text.split('+', 2).map((file) => file.split('-', 1)[0]);
  return sizes(looks).join() === sizes(others).join();
}

/** Large: the thread that hashes is busy with other things, and seldom has time for the next one. */
const CHUNK_BYTES = 16 * 1024 * 1024;

/**
 * The fingerprint of an image: a hash of its database, of the write-ahead log, and of the names in its store, without which
 * an image that has no database could not be told from another. Nothing less will do: in WAL mode the header's change
 * counter stands still (sqlite.org/fileformat.html, 1.3.7), and reproducible images set all times alike.
 * It is read by another thread, so that the caller can be at work meanwhile.
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
  for (const path of files(stateDir)) {
    const file = await openOrNothing(path);
    if (file === undefined) continue;
    try {
      const { size } = await file.stat();
      const chunk = Buffer.alloc(Math.min(size + 1, CHUNK_BYTES));
      for (let read = await file.read(chunk); read.bytesRead > 0; read = await file.read(chunk)) {
        hash.update(chunk.subarray(0, read.bytesRead));
        await onBytes();
      }
    } finally {
      await file.close();
    }
  }
  hash.update([...(await names)].sort().join('/'));
  return `sha256-${hash.digest('hex')}`;
}

async function openOrNothing(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
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
