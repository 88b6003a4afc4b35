import { lstatSync, renameSync } from 'node:fs';
import { makeDirectories } from '../../linux/directories.ts';
import { removeTree } from '../../linux/remove.ts';
import { setXattr } from '../../linux/xattrs.ts';

/** Moves a path's copy out of the upper directory: the image has it, and overlayfs would show the two merged. */
export function setAside(upper: string, name: string, trash: string): void {
  makeDirectories(trash);
  removeTree(`${trash}/${name}`);
  renameSync(`${upper}/${name}`, `${trash}/${name}`);
}

/**
 * Makes a directory in the upper layer hide the one of its name in the lower (overlayfs.rst, "whiteouts and opaque
 * directories"): what the image has there is in no database, so the volume's copy is the path.
 */
export function makeOpaque(upper: string, name: string, xattrs: 'trusted' | 'user'): void {
  const path = `${upper}/${name}`;
  // Of all else there is nothing to merge.
  if (lstatSync(path).isDirectory()) setXattr(path, `${xattrs}.overlay.opaque`, 'y');
}
