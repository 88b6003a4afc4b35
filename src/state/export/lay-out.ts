import { chmodSync, mkdirSync, readdirSync, renameSync, rmdirSync } from 'node:fs';
import { Exit, hasErrno, InitError } from '../../errors.ts';
import { makeDirectories } from '../../linux/directories.ts';
import { flushDirectory, flushFileSystem } from '../../linux/flush.ts';
import { removeReadOnlyTree } from '../../linux/remove.ts';
import { setTimes } from '../../linux/times.ts';
import { copySize, copyTree } from '../copy.ts';
import { listTree, type TreeEntry } from '../tree.ts';

export type LayOut = {
  /** A directory that is empty or not there. */
  to: string;
  /** Where the paths say they are, and where they are. */
  storeDir: string;
  realStoreDir: string;
  /** The names in the store that are wanted. */
  names: ReadonlySet<string>;
  /** May throw to end it. */
  onProgress: (done: number, total: number) => void;
  /** Called when all is written and before it has its name, with where the store is until then. */
  verify: (store: string) => Promise<void>;
};

/** What is being written, inside of the directory itself: that may be a mount of its own. */
const STAGING = '.nix-cache-init-export';

/** To Nix all files are a second older than time (mtimeStore in src/libstore/posix-fs-canonicalise.cc). */
const STORE_TIME_NS = 1_000_000_000n;

/**
 * Copies paths of a store into a root file system of their own: all of them or none, whatever comes between.
 * @throws {InitError} 64 for a directory with something in it.
 */
export async function layOut(request: LayOut): Promise<void> {
  const { to, storeDir, realStoreDir, names } = request;
  const made = prepare(to);
  const staging = `${to}/${STAGING}`;
  try {
    removeReadOnlyTree(staging);
    const entries = listTree(realStoreDir, (path) => !path.includes('/') && !names.has(path)).map(plain);
    const parents = parentsOf(storeDir);
    makeDirectories(`${staging}${parents.at(-1) ?? ''}`);
    const total = copySize(entries);
    let done = 0;
    const onBytes = (bytes: number): void => {
      done += bytes;
      request.onProgress(done, total);
    };
    await copyTree(realStoreDir, `${staging}${storeDir}`, entries, onBytes, { keep: 'contents' });
    await request.verify(`${staging}${storeDir}`);
    for (const parent of parents.toReversed()) settle(`${staging}${parent}`);
    // A power cut, too, leaves all of it or none.
    flushFileSystem(staging);
    const [top = storeDir] = parents;
    renameSync(`${staging}${top}`, `${to}${top}`);
    rmdirSync(staging);
    flushDirectory(to);
  } catch (error) {
    removeReadOnlyTree(staging);
    if (made) rmdirSync(to);
    throw error;
  }
}

/** @returns whether it was made. */
function prepare(to: string): boolean {
  try {
    mkdirSync(to);
    return true;
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
  }
  const there = readdirSync(to).filter((name) => name !== STAGING);
  if (there.length === 0) return false;
  throw new InitError({
    stage: 'export',
    what: `${to} has something in it: ${there.slice(0, 3).join(', ')}`,
    errno: 'ENOTEMPTY',
    remedy: 'say --to a directory that is empty, or that is not there yet',
    exitCode: Exit.usage,
  });
}

/** The directories above a store, the topmost first. */
function parentsOf(storeDir: string): string[] {
  const parts = storeDir.split('/').slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
}

/** As everybody's export has it: the store itself, too, may have another mode and time. */
const plain = (entry: TreeEntry): TreeEntry => ({
  ...entry,
  atimeNs: STORE_TIME_NS,
  mtimeNs: STORE_TIME_NS,
  mode: entry.path === '' ? 0o755 : entry.mode,
});

function settle(directory: string): void {
  chmodSync(directory, 0o755);
  setTimes(Buffer.from(directory), STORE_TIME_NS, STORE_TIME_NS);
}
