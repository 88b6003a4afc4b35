import { chmodSync, lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';

/** Removes a file, if there is one; never a directory. */
export function removeFile(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) unlinkSync(path);
}

/**
 * Removes a path with all that is below it; one that is not there is as good. Node's own way keeps the errno of a bad disk, or
 * of one that is read-only, to itself.
 */
export function removeTree(path: string | Buffer): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isDirectory()) {
    unlinkSync(path);
    return;
  }
  for (const name of readdirSync(path, 'buffer'))
    removeTree(Buffer.concat([Buffer.from(path), Buffer.from('/'), name]));
  rmdirSync(path);
}

/** The same for a tree of somebody's own with directories that are not to be written to, as those of store paths. */
export function removeReadOnlyTree(path: string | Buffer): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (stat.isDirectory()) makeTreeWritable(Buffer.from(path));
  removeTree(path);
}

function makeTreeWritable(directory: Buffer): void {
  chmodSync(directory, 0o700);
  for (const entry of readdirSync(directory, { withFileTypes: true, encoding: 'buffer' })) {
    if (entry.isDirectory()) makeTreeWritable(Buffer.concat([directory, Buffer.from('/'), entry.name]));
  }
}
