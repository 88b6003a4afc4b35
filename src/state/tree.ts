import { lstatSync, readdirSync } from 'node:fs';

/** What `lstat` says of one entry, as far as a copy needs it. Times in nanoseconds. */
export type TreeEntry = {
  /** Relative to the tree's root, as bytes (latin1): names need not be UTF-8. '' is the root. */
  path: string;
  kind: 'directory' | 'file' | 'symlink' | 'other';
  mode: number;
  uid: number;
  gid: number;
  size: number;
  atimeNs: bigint;
  mtimeNs: bigint;
  /** Device and inode of a file with several names. */
  link?: string;
};

/** The path of an entry of a tree for a system call. */
export function entryPath(root: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')]);
}

/** Lists a tree, parents before their children. */
export function listTree(root: string, leaveOut: (path: string) => boolean): TreeEntry[] {
  const entries: TreeEntry[] = [];
  const visit = (path: string): void => {
    const entry = describeEntry(root, path);
    entries.push(entry);
    if (entry.kind !== 'directory') return;
    for (const name of readdirSync(entryPath(root, path), 'latin1')) {
      const child = path === '' ? name : `${path}/${name}`;
      if (!leaveOut(child)) visit(child);
    }
  };
  visit('');
  return entries;
}

/** Describes one entry of a tree. */
export function describeEntry(root: string, path: string): TreeEntry {
  const stat = lstatSync(entryPath(root, path), { bigint: true });
  const kind = stat.isDirectory()
    ? 'directory'
    : stat.isFile()
      ? 'file'
      : stat.isSymbolicLink()
        ? 'symlink'
        : 'other';
  return {
    path,
    kind,
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: Number(stat.size),
    atimeNs: stat.atimeNs,
    mtimeNs: stat.mtimeNs,
    ...(kind === 'file' && stat.nlink > 1n ? { link: `${stat.dev}:${stat.ino}` } : {}),
  };
}
