import { fsyncSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { flushDirectory, flushLater } from './flush.ts';
import { withDescriptor } from './open.ts';
import { removeFile } from './remove.ts';

/**
 * Replaces a file in one step: a kill or a power cut at any instant leaves the old contents or the new (rename(2)), and the
 * new ones are on the disk when it returns.
 */
export function replaceFile(path: string, text: string): void {
  const temporary = `${path}.new`;
  withDescriptor(temporary, 'w', (fd) => {
    writeFileSync(fd, text);
    fsyncSync(fd);
  });
  renameSync(temporary, path);
  flushDirectory(dirname(path));
}

/**
 * As `replaceFile`, for when init has other things to do meanwhile: waiting for the disk takes no time of the main thread.
 * @param isWanted asked in the end: in the same turn, so that nothing newer is overwritten.
 */
export async function replaceFileLater(path: string, text: string, isWanted: () => boolean): Promise<void> {
  const temporary = `${path}.later`;
  writeFileSync(temporary, text);
  await flushLater(temporary);
  if (!isWanted()) return removeFile(temporary);
  renameSync(temporary, path);
  await flushLater(dirname(path));
}
