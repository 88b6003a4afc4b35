import { checked, cString, lazily } from './libc.ts';

const mknod3 = lazily('mknod', { return: 'int32', arguments: ['buffer', 'uint32', 'uint64'] });

const S_IFCHR = 0o020000;

/**
 * Makes a whiteout, character device 0:0: what overlayfs shows none of from the layers below (overlayfs.rst). The one device
 * that needs no CAP_MKNOD, since Linux 5.8.
 */
export function makeWhiteout(path: string): void {
  checked('mknod', () => mknod3()(cString(path), S_IFCHR, 0n), path);
}
