import { lstat as lstatLater, type Stats } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { hasErrno } from '../errors.ts';

const lstat = promisify<Buffer, Stats>(lstatLater);

/** A file with several names: its blocks are freed with the last of them. */
export type SharedFile = {
  bytes: number;
  /** How many names it has. */
  links: number;
  /** How many of them were met. */
  met: number;
};

/** What a store path, or anything else in a store directory, takes on the disk. */
export type Usage = {
  /** Of what is this path's alone, directories included. */
  bytes: number;
  /** Files of which other names may be elsewhere, as in `.links`; each once. */
  shared: ReadonlySet<SharedFile>;
  /** When one of its files was last read, in milliseconds; 0 for one that has none of its own. */
  read: number;
  /** When its name came to be there, in milliseconds. */
  changed: number;
};

/** Files with several names, by device and inode. */
export type SharedFiles = Map<string, SharedFile>;

const BLOCK_BYTES = 512;
/** As many system calls as the threads of Node's pool keep busy. */
const AT_ONCE = 32;

export const onDisk = ({ blocks }: Stats): number => blocks * BLOCK_BYTES;

/** lstat(2), off the main thread; undefined for what is gone. */
export async function look(path: Buffer): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/**
 * Measures one tree, off the main thread: a disk that is slow, or gone, keeps nobody else waiting. What goes meanwhile counts
 * as gone. Only directories are read, so that the times at which files were read stay as they are.
 * @param top what `look` says of it.
 */
export async function measureTree(path: Buffer, top: Stats, shared: SharedFiles): Promise<Usage> {
  const own = new Set<SharedFile>();
  const usage = { bytes: 0, read: 0 };
  const add = (stat: Stats): void => {
    const file = stat.isDirectory() || stat.nlink === 1 ? undefined : sharedFile(stat, shared);
    if (file === undefined) usage.bytes += onDisk(stat);
    else own.add(file);
    // Where a file is two paths', neither can be told to have been used; the second name is the one in `.links`.
    if (stat.isFile() && stat.nlink <= 2) usage.read = Math.max(usage.read, stat.atimeMs);
  };
  add(top);
  if (top.isDirectory()) await visit(path, add);
  return { ...usage, shared: own, changed: top.ctimeMs };
}

function sharedFile(stat: Stats, shared: SharedFiles): SharedFile {
  const key = `${stat.dev}:${stat.ino}`;
  const file = shared.get(key) ?? { bytes: onDisk(stat), links: stat.nlink, met: 0 };
  file.met += 1;
  shared.set(key, file);
  return file;
}

async function visit(directory: Buffer, add: (stat: Stats) => void): Promise<void> {
  const names = await namesIn(directory);
  for (let start = 0; start < names.length; start += AT_ONCE) {
    const paths = names.slice(start, start + AT_ONCE).map((name) => join(directory, name));
    const stats = await Promise.all(paths.map(look));
    for (const [index, stat] of stats.entries()) {
      if (stat === undefined) continue;
      add(stat);
      const path = paths[index];
      if (stat.isDirectory() && path !== undefined) await visit(path, add);
    }
  }
}

/** What is in a directory, as bytes: names need not be UTF-8. */
export async function namesIn(directory: Buffer): Promise<Buffer[]> {
  try {
    return await readdir(directory, 'buffer');
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

export const join = (directory: Buffer, name: Buffer): Buffer =>
  Buffer.concat([directory, Buffer.from('/'), name]);
