import { closeSync, ftruncateSync, openSync, statSync } from 'node:fs';
import { hasErrno } from '../errors.ts';
import { removeFile } from '../linux/remove.ts';

/**
 * The file that Nix keeps on the disk so that it can make room for its database's log before it collects. It makes room too
 * late: it opens the database first, which a full disk does not allow.
 */
const reserveFile = (stateDir: string): string => `${stateDir}/db/reserved`;

/** As large as Nix makes it unless it is told otherwise (`gc-reserved-space`). */
const RESERVE_BYTES = 8 * 1024 * 1024;

/**
 * Gives the blocks of Nix's reserve back to the file system, and leaves a file of its size: whoever opens the store meanwhile, a
 * daemon too, would else take them again, and with them the last free ones.
 */
export function emptyReserve(stateDir: string): void {
  const file = reserveFile(stateDir);
  const { size } = statSync(file, { throwIfNoEntry: false }) ?? { size: RESERVE_BYTES };
  let fd: number;
  try {
    fd = openSync(file, 'a', 0o600);
  } catch (error) {
    // Where it cannot be written, neither can the database, of which somebody else has more to say.
    if (hasErrno(error, 'ENOENT', 'EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT')) return;
    throw error;
  }
  try {
    ftruncateSync(fd, 0);
    ftruncateSync(fd, size);
  } finally {
    closeSync(fd);
  }
}

/** Has the next Nix that opens the store make the reserve anew, unless one did already. */
export function renewReserve(stateDir: string): void {
  const file = reserveFile(stateDir);
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined || stat.size === 0 || stat.blocks > 0) return;
  try {
    removeFile(file);
  } catch (error) {
    if (!hasErrno(error, 'EACCES', 'EPERM', 'EROFS')) throw error;
  }
}
