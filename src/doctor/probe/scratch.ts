import { closeSync, fstatSync, mkdirSync, openSync } from 'node:fs';
import { hasErrno } from '../../errors.ts';
import { removeTree } from '../../linux/files.ts';

/**
 * Does something in a directory of a fixed name, which is removed before and after: what a kill leaves, the next one finds.
 * A boot and another doctor remove it, too, and may do so meanwhile; then what was found means nothing, and it is done again.
 * @throws {SystemError} why the directory cannot be made.
 */
export function inScratch<T>(path: string, act: () => T): T {
  for (;;) {
    removeTree(path);
    const directory = make(path);
    if (directory === undefined) continue;
    try {
      const result = act();
      if (fstatSync(directory).nlink > 0) return result;
    } finally {
      closeSync(directory);
      removeTree(path);
    }
  }
}

/** @returns its descriptor, or nothing where somebody else was faster. */
function make(path: string): number | undefined {
  try {
    mkdirSync(path, { mode: 0o700 });
    return openSync(path, 'r');
  } catch (error) {
    if (hasErrno(error, 'EEXIST', 'ENOENT')) return undefined;
    throw error;
  }
}

/** An empty file. */
export function touch(path: string): void {
  closeSync(openSync(path, 'w', 0o600));
}
