import type { Stats } from 'node:fs';
import { isStorePathName } from '../state/reconcile/layers.ts';
import { join, look, measureTree, namesIn, onDisk, type SharedFiles, type Usage } from './walk.ts';

/** Where cached paths are on the disk. */
export type MeasuredPlaces = {
  /** The directory of cached paths: `upper/`, a store of the volume's own, or a binary cache. */
  directory: string;
  /** Store directories that lie below it: the image's, and further lowers. */
  lowers: readonly string[];
};

/** What is cached, on the disk: blocks, each file once however many names it has, holes not at all. */
export type Measured = {
  /** Store paths by name. */
  paths: ReadonlyMap<string, Usage>;
  /** Names in the directory that are no store path's: what killed programs left. `.links` is none of them. */
  strays: readonly string[];
  /** All of it. */
  bytes: number;
};

export type MeasureOptions = {
  signal?: AbortSignal;
  onProgress?: (done: number, total: number) => void;
};

/** Nix's directory of hard links to equal files. */
export const LINKS = '.links';
/** Trees that are walked side by side. */
const TREES_AT_ONCE = 4;

/** Measures what is in a store directory. Whiteouts are no paths, but names of the layer below. */
export async function measureStore(directory: string, options: MeasureOptions = {}): Promise<Measured> {
  const { signal, onProgress } = options;
  const root = Buffer.from(directory);
  const names = (await namesIn(root)).filter((name) => name.toString() !== LINKS);
  const shared: SharedFiles = new Map();
  const paths = new Map<string, Usage>();
  const strays: string[] = [];
  let bytes = await own(root);
  let done = 0;
  const measureOne = async (name: Buffer): Promise<void> => {
    signal?.throwIfAborted();
    const path = join(root, name);
    const top = await look(path);
    const usage = top === undefined || isWhiteout(top) ? undefined : await measureTree(path, top, shared);
    done += 1;
    onProgress?.(done, names.length);
    if (usage === undefined) return;
    bytes += usage.bytes;
    // Bytes that are not UTF-8 are no name of Nix's.
    const text = name.toString();
    if (isStorePathName(text)) paths.set(text, usage);
    else strays.push(text);
  };
  const queue = names.values();
  const work = async (): Promise<void> => {
    for (const name of queue) await measureOne(name);
  };
  await Promise.all(Array.from({ length: TREES_AT_ONCE }, work));
  // After the paths: by then it is known which of its files they share.
  bytes += await measureLinks(join(root, Buffer.from(LINKS)), shared);
  for (const file of shared.values()) bytes += file.bytes;
  return { paths, strays, bytes };
}

const own = async (path: Buffer): Promise<number> => {
  const stat = await look(path);
  return stat === undefined ? 0 : onDisk(stat);
};

const isWhiteout = (stat: Stats): boolean => stat.isCharacterDevice() && stat.rdev === 0;

/** What `.links` takes besides the files that paths have in common with it. */
async function measureLinks(directory: Buffer, shared: SharedFiles): Promise<number> {
  const top = await look(directory);
  return top === undefined ? 0 : (await measureTree(directory, top, shared)).bytes;
}

/** What a cache takes, for people who ask how full it is. */
export type CacheSize = {
  bytes: number;
  /** How many store paths it has. */
  paths: number;
  /** How many more the store has that take no space on the volume: the image's. */
  sharedWithImage: number;
};

/** Measures a cache; of a binary cache every path is a file that describes it. */
export async function measureCache(
  { directory, lowers }: MeasuredPlaces,
  options: MeasureOptions = {},
): Promise<CacheSize> {
  const { paths, strays, bytes } = await measureStore(directory, options);
  const image = await Promise.all(lowers.map((store) => namesIn(Buffer.from(store))));
  const names = new Set(image.flat().map((name) => name.toString()));
  const described = strays.filter((name) => name.endsWith('.narinfo'));
  return {
    bytes,
    paths: paths.size + described.length,
    sharedWithImage: [...names].filter((name) => isStorePathName(name) && !paths.has(name)).length,
  };
}
