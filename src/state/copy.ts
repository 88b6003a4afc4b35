import { chmodSync, constants, lchownSync, linkSync, mkdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { copyXattrs, setTimes } from '../linux/files.ts';
import type { TreeEntry } from './tree.ts';

/**
 * Copies the entries of a listed tree with owners, modes, times, extended attributes, symlinks and hard links, as
 * `cp -a` would. Sockets, pipes and devices are of no use to a later boot and are left out.
 * @param onEntry called before each entry; may throw to end the copy.
 */
export async function copyTree(
  from: string,
  to: string,
  entries: readonly TreeEntry[],
  onEntry: (entry: TreeEntry) => void | Promise<void>,
): Promise<void> {
  const linked = new Map<string, string>();
  for (const entry of entries) {
    await onEntry(entry);
    const source = `${from}/${entry.path}`;
    const target = `${to}/${entry.path}`;
    const twin = entry.link && linked.get(entry.link);
    if (twin !== undefined && twin !== '') {
      linkSync(twin, target);
      continue;
    }
    if (entry.kind === 'directory') mkdirSync(target, 0o700);
    else if (entry.kind === 'symlink') symlinkSync(readlinkSync(source, 'buffer'), target);
    else if (entry.kind === 'file')
      await copyFile(source, target, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    else continue;
    if (entry.link !== undefined) linked.set(entry.link, target);
    // chown(2) clears set-id bits and file capabilities, so both come after it.
    lchownSync(target, entry.uid, entry.gid);
    if (entry.kind !== 'symlink') chmodSync(target, entry.mode);
    copyXattrs(source, target);
    if (entry.kind !== 'directory') setTimes(target, entry.atimeNs, entry.mtimeNs);
  }
  // A directory's times change with every entry made in it: deepest last listed, so backwards.
  for (const entry of entries.toReversed()) {
    if (entry.kind === 'directory') setTimes(`${to}/${entry.path}`, entry.atimeNs, entry.mtimeNs);
  }
}
