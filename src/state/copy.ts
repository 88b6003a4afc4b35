import { chmodSync, closeSync, linkSync, mkdirSync, openSync, readlinkSync, symlinkSync } from 'node:fs';
import { hasErrno } from '../errors.ts';
import { reflink, sendBytes } from '../linux/copy.ts';
import { giveOwner, permissions } from '../linux/owners.ts';
import { setTimes } from '../linux/times.ts';
import { copyXattrs } from '../linux/xattrs.ts';
import { entryPath, type TreeEntry } from './tree.ts';

/** What an entry counts for beside its contents: creating one takes about as long as writing a block. */
const ENTRY_BYTES = 4096;

/** How much there is to copy, in the unit in which `copyTree` reports. */
export function copySize(entries: readonly TreeEntry[]): number {
  return entries.reduce((sum, { kind, size }) => sum + ENTRY_BYTES + (kind === 'file' ? size : 0), 0);
}

/** How much is copied before the caller is asked again: some milliseconds' worth. */
const CHUNK_BYTES = 8 * 1024 * 1024;

/** What of an entry could not be copied: its owner, which has no number here, or all of it, which may not be read. */
export type Loss = { path: string; what: 'owner' } | { path: string; what: 'contents'; error: unknown };

/**
 * Copies the entries of a listed tree with owners, modes, times, extended attributes, symlinks and hard links, as
 * `cp -a` would. Sockets, pipes and devices are of no use to a later boot and are left out.
 * @param onBytes called with each piece that was copied; may throw to end the copy.
 * @param onLoss called with what is lost on the way; may throw. If not given, the contents of no file may be.
 * @param keep `contents` leaves owners and attributes out, which only root could give, and which Nix has none of.
 */
export async function copyTree(
  from: string,
  to: string,
  entries: readonly TreeEntry[],
  onBytes: (bytes: number) => void | Promise<void>,
  { onLoss = failUnread, keep = 'all' }: { onLoss?: (loss: Loss) => void; keep?: 'all' | 'contents' } = {},
): Promise<void> {
  const linked = new Map<string, Buffer>();
  for (const entry of entries) {
    await onBytes(ENTRY_BYTES);
    const source = entryPath(from, entry.path);
    const target = entryPath(to, entry.path);
    const twin = entry.link === undefined ? undefined : linked.get(entry.link);
    if (twin !== undefined) {
      linkSync(twin, target);
      continue;
    }
    if (entry.kind === 'directory') mkdirSync(target, 0o700);
    else if (entry.kind === 'symlink') symlinkSync(readlinkSync(source, 'buffer'), target);
    else if (entry.kind === 'file') {
      if (
        !(await couldCopy(source, target, onBytes, (error) =>
          onLoss({ path: entry.path, what: 'contents', error }),
        ))
      )
        continue;
    } else continue;
    if (entry.link !== undefined) linked.set(entry.link, target);
    if (keep === 'all') {
      // chown(2) clears set-id bits and file capabilities, so both come after it.
      const owned = giveOwner(target, entry.uid, entry.gid);
      if (!owned) onLoss({ path: entry.path, what: 'owner' });
      if (entry.kind !== 'symlink') chmodSync(target, permissions(entry.mode, owned));
      copyXattrs(source, target);
    } else if (entry.kind === 'file') chmodSync(target, entry.mode);
    if (entry.kind !== 'directory') setTimes(target, entry.atimeNs, entry.mtimeNs);
  }
  // Every entry made in a directory changes its times, so they come last.
  for (const entry of entries) {
    if (entry.kind !== 'directory') continue;
    const target = entryPath(to, entry.path);
    // Only root could have made anything in one that is not to be written to.
    if (keep === 'contents') chmodSync(target, entry.mode);
    setTimes(target, entry.atimeNs, entry.mtimeNs);
  }
}

function failUnread(loss: Loss): void {
  if (loss.what === 'contents') throw loss.error;
}

async function couldCopy(
  source: Buffer,
  target: Buffer,
  onBytes: (bytes: number) => void | Promise<void>,
  onUnread: (error: unknown) => void,
): Promise<boolean> {
  try {
    await copyContents(source, target, onBytes);
    return true;
  } catch (error) {
    // Even root may not read what belongs to somebody who has no number here.
    if (!hasErrno(error, 'EACCES')) throw error;
    onUnread(error);
    return false;
  }
}

async function copyContents(
  source: Buffer,
  target: Buffer,
  onBytes: (bytes: number) => void | Promise<void>,
): Promise<void> {
  const from = openSync(source, 'r');
  try {
    const to = openSync(target, 'wx', 0o600);
    try {
      if (reflink(from, to)) return;
      for (;;) {
        const bytes = sendBytes(from, to, CHUNK_BYTES);
        if (bytes === 0) return;
        await onBytes(bytes);
      }
    } finally {
      closeSync(to);
    }
  } finally {
    closeSync(from);
  }
}
