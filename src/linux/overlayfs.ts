import { dirname } from 'node:path';
import { hasErrno } from '../errors.ts';
import { mount, unmount } from './mount.ts';

/** In overlayfs options a comma, a colon and a backslash stand for themselves only after a backslash. */
export const escapeOption = (path: string): string => path.replace(/[\\,:]/g, '\\$&');

/**
 * Whether the kernel has a directory as the upper layer of an overlay, in whichever mount namespace, detached ones too. It tells
 * when asked for another one with index=on (ovl_report_in_use() in fs/overlayfs/super.c), before it looks at the work directory;
 * that is one it never takes, so nothing is mounted and nothing is written.
 * @returns true where it may not be asked, too.
 */
export function isUpperInUse(upper: string): boolean {
  const directory = escapeOption(upper);
  const options = `index=on,lowerdir=${escapeOption(dirname(upper))},upperdir=${directory},workdir=${directory}`;
  try {
    mount('overlay', upper, 'overlay', 0n, options);
  } catch (error) {
    if (hasErrno(error, 'EBUSY', 'EPERM', 'EACCES')) return true;
    // No overlayfs, no such directory.
    if (hasErrno(error, 'EINVAL', 'ENODEV', 'ENOENT')) return false;
    throw error;
  }
  // Of no kernel that is known; then nobody else has it.
  unmount(upper);
  return false;
}
