import { lchownSync } from 'node:fs';
import { hasErrno } from '../errors.ts';

/** Who has a file or directory, and what for. */
export type Owner = { uid: number; gid: number; mode: number };

/**
 * Gives a path, not where a symlink leads, an owner and a group.
 * @returns false where one of them has no number in this user namespace: that one stays as it is.
 */
export function giveOwner(path: string | Buffer, uid: number, gid: number): boolean {
  if (couldChown(path, uid, gid)) return true;
  couldChown(path, uid, UNCHANGED);
  couldChown(path, UNCHANGED, gid);
  return false;
}

/** To chown(2), an ID that is to stay. */
const UNCHANGED = -1;

function couldChown(path: string | Buffer, uid: number, gid: number): boolean {
  try {
    lchownSync(path, uid, gid);
    return true;
  } catch (error) {
    // What chown(2) says of an ID that user_namespaces(7) does not map.
    if (hasErrno(error, 'EINVAL')) return false;
    throw error;
  }
}

/** The permissions of a mode. With another owner than it was given for, a program must not run as that. */
export const permissions = (mode: number, ownerKept: boolean): number => mode & (ownerKept ? 0o7777 : 0o1777);
