import { readlinkSync } from 'node:fs';
import { entryPath, listTree, type TreeEntry } from '../tree.ts';

/** Paths and targets are bytes (latin1), as in `state/tree.ts`; paths are relative to the state directory. */
export type Link = { kind: 'symlink'; target: string; uid: number; gid: number };
export type Directory = { kind: 'directory'; mode: number; uid: number; gid: number };
/** Anything else is never the image's to change, but it may be in the way. */
export type Entry = Link | Directory | { kind: 'other' };

/** What is below `profiles` and `gcroots`, by its path; directories before what is in them. */
export type Links = ReadonlyMap<string, Entry>;

const areas = ['profiles', 'gcroots'];
/** Made from other records by ourselves: none of them is an image's or a user's. */
const ours = ['gcroots/image', 'gcroots/absent'];

/** Whether a path of the state directory is among those that `readImageLinks` reads. */
export function isLinkPath(path: string): boolean {
  return within(path, areas) && !within(path, ours);
}

const within = (path: string, directories: readonly string[]): boolean =>
  directories.some((directory) => path === directory || path.startsWith(`${directory}/`));

/** Reads the profiles and garbage collector roots of a state directory. */
export function readImageLinks(stateDir: string): Links {
  const entries = listTree(stateDir, (path) => !isLinkPath(path));
  return new Map(entries.slice(1).map((entry) => [entry.path, describe(stateDir, entry)]));
}

function describe(root: string, { path, kind, mode, uid, gid }: TreeEntry): Entry {
  if (kind === 'directory') return { kind, mode, uid, gid };
  if (kind !== 'symlink') return { kind: 'other' };
  return { kind, target: readlinkSync(entryPath(root, path), 'latin1'), uid, gid };
}
