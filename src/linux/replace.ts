import { chmodSync, fsyncSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { flushDirectory, flushLater } from './flush.ts';
import { withDescriptor } from './open.ts';
import { giveOwner, type Owner, permissions } from './owners.ts';
import { removeFile } from './remove.ts';

/**
 * Replaces a file in one step: a kill or a power cut at any instant leaves the old contents or the new (rename(2)), and the
 * new ones are on the disk when it returns.
 * @param owner whose it is to be; until then nobody else can read it.
 */
export function replaceFile(path: string, text: string, owner?: Owner): void {
  const temporary = `${path}.new`;
  // One that a kill left has a mode of its own.
  if (owner !== undefined) removeFile(temporary);
  const write = (fd: number): void => {
    writeFileSync(fd, text);
    if (owner !== undefined) {
      const kept = giveOwner(temporary, owner.uid, owner.gid);
      chmodSync(temporary, permissions(owner.mode, kept));
    }
    fsyncSync(fd);
  };
  withDescriptor(temporary, 'w', write, owner === undefined ? 0o644 : 0o600);
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
