import { chmodSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { hasErrno } from '../errors.ts';
import { giveOwner, type Owner, permissions } from './owners.ts';
import { removeTree } from './remove.ts';

/**
 * mkdir(2) with all parents that are missing. Node's own way says ENOENT for what it does not expect: a quota, a bad disk, a
 * read-only file system.
 */
export function makeDirectories(path: string, mode = 0o777): void {
  // It is there at all boots but the first, and an error that is thrown costs more than a look.
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // Somebody else was quicker.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
    if (!hasErrno(error, 'ENOENT')) throw error;
    makeDirectories(dirname(path), mode);
    mkdirSync(path, { mode });
  }
}

/**
 * Makes a directory under another name until it is complete: after a kill in between it would be taken as found, owner and
 * mode wrong.
 * @param temporary on the same file system.
 */
export function placeDirectory(path: string | Buffer, temporary: string, { uid, gid, mode }: Owner): void {
  // What an earlier kill left may be anything.
  removeTree(temporary);
  mkdirSync(temporary, { mode: 0o700 });
  const kept = giveOwner(temporary, uid, gid);
  chmodSync(temporary, permissions(mode, kept));
  renameSync(temporary, path);
}
