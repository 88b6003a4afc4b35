import { statSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { errnoOf } from '../errors.ts';
import { readIfThere } from '../linux/read.ts';
import type { LayerIdentity } from '../volume/manifest.ts';
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

/** Between the looks of layers; in those of one it does not occur. */
const BETWEEN_LAYERS = '|';

/** How all that lies below the upper layer looks, the image first. */
export const layersLooks = (layers: readonly ImagePlaces[]): string =>
  layers.map(imageLooks).join(BETWEEN_LAYERS);

/** Whether what looks so may be the same, of which a copy was pulled: as large are the databases and their logs. */
export function mayBeAlike(looks: string, others: string): boolean {
  const sizes = (text: string): (string | undefined)[][] =>
    text.split(BETWEEN_LAYERS).map((layer) => layer.split('+', 2).map((file) => file.split('-', 1)[0]));
  return sizes(looks).join(BETWEEN_LAYERS) === sizes(others).join(BETWEEN_LAYERS);
}

/** Large: the thread that hashes may be busy with other things, and seldom have time for the next one. */
const CHUNK_BYTES = 8 * 1024 * 1024;

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
      const chunk = Buffer.allocUnsafeSlow(Math.min(size + 1, CHUNK_BYTES));
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

/**
 * The fingerprint of all that lies below the upper layer: the image's, or of several layers one made of theirs.
 * @param looks of the layers, before anything of them was read.
 * @param names what is in their stores.
 * @param known of earlier boots: a layer that looks as it did then is not read again.
 */
export async function layersIdentity(
  layers: readonly ImagePlaces[],
  looks: string,
  names: readonly (Iterable<string> | Promise<Iterable<string>>)[],
  known: readonly LayerIdentity[] = [],
  onBytes: () => void | Promise<void> = () => {},
): Promise<{ identity: string; layers?: LayerIdentity[] }> {
  const [image, ...lowers] = layers;
  if (image !== undefined && lowers.length === 0)
    return { identity: await imageIdentity(image, names[0] ?? [], onBytes) };
  const each = looks.split(BETWEEN_LAYERS);
  const identities: LayerIdentity[] = [];
  for (const [index, layer] of layers.entries()) {
    const look = each[index] ?? '';
    const same = known.find((other) => other.looks === look);
    const identity = same?.identity ?? (await imageIdentity(layer, names[index] ?? [], onBytes));
    identities.push({ looks: look, identity });
  }
  const { createHash } = process.getBuiltinModule('node:crypto');
  const all = createHash('sha256').update(identities.map(({ identity }) => identity).join());
  return { identity: `sha256-${all.digest('hex')}`, layers: identities };
}

async function openOrNothing(path: string): Promise<FileHandle | undefined> {
  const { open } = process.getBuiltinModule('node:fs/promises');
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
