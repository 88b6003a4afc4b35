import { closeSync, constants, fstatSync, mkdirSync, openSync } from 'node:fs';
import { hasErrno } from '../errors.ts';
import { tryLock } from '../linux/flock.ts';
import { removeFile, removeTree } from '../linux/remove.ts';

/** Removes what a process has left that was killed: a directory that nobody has locked. */
export function removeIdle(path: string): void {
  const directory = lockDirectory(path);
  if (directory === undefined) return;
  try {
    removeTree(path);
  } finally {
    closeSync(directory);
  }
}

/**
 * Makes a directory that nobody else will use or remove, until its descriptor is closed.
 * @returns that descriptor, or undefined while somebody else has a directory there.
 * @throws {SystemError} why it cannot be made.
 */
export function occupyDirectory(path: string): number | undefined {
  removeIdle(path);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) return undefined;
    throw error;
  }
  return lockDirectory(path);
}

/** @returns the descriptor that holds it; undefined where there is none, or somebody has it. */
function lockDirectory(path: string): number | undefined {
  const directory = openDirectory(path);
  if (directory === undefined) return undefined;
  // Its last holder may have removed it in between.
  if (tryLock(directory) && fstatSync(directory).nlink > 0) return directory;
  closeSync(directory);
  return undefined;
}

function openDirectory(path: string): number | undefined {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  try {
    return openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    if (!hasErrno(error, 'ENOTDIR', 'ELOOP')) throw error;
    // Of our name, and in the way.
    removeFile(path);
    return undefined;
  }
}
