import { accessSync, constants } from 'node:fs';
import { hasErrno } from '../errors.ts';

/** Whether this process may make and remove names in a directory (access(2)); false where there is none. */
export function canWrite(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    if (hasErrno(error, 'EACCES', 'EROFS', 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
