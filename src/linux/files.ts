import { checked, lazily, SystemError } from './libc.ts';

const syncfs2 = lazily('syncfs', { return: 'int32', arguments: ['int32'] });
const utimensat = lazily('utimensat', { return: 'int32', arguments: ['int32', 'string', 'buffer', 'int32'] });
const llistxattr = lazily('llistxattr', { return: 'int64', arguments: ['string', 'buffer', 'uint64'] });
const lgetxattr = lazily('lgetxattr', {
  return: 'int64',
  arguments: ['string', 'string', 'buffer', 'uint64'],
});
const lsetxattr = lazily('lsetxattr', {
  return: 'int32',
  arguments: ['string', 'string', 'buffer', 'uint64', 'int32'],
});

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const XATTR_LIST_MAX = 65536;

// One for all calls: a fresh one each was most of the time that copying a symlink took.
const list = Buffer.alloc(XATTR_LIST_MAX);
const value = Buffer.alloc(XATTR_LIST_MAX);
const times = Buffer.alloc(32);

/** syncfs(2): everything written to the file system of `fd` is on the disk when it returns. */
export function syncFileSystem(fd: number): void {
  checked('syncfs', () => syncfs2()(fd));
}

/** utimensat(2) on the path itself, not where a symlink leads. Node's own utimes lose the nanoseconds. */
export function setTimes(path: string, atimeNs: bigint, mtimeNs: bigint): void {
  for (const [index, ns] of [atimeNs, mtimeNs].entries()) {
    times.writeBigInt64LE(ns / 1_000_000_000n, index * 16);
    times.writeBigInt64LE(ns % 1_000_000_000n, index * 16 + 8);
  }
  checked('utimensat', () => utimensat()(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), path);
}

/** Copies all extended attributes (xattr(7)), access control lists among them, of the path itself. */
export function copyXattrs(from: string, to: string): void {
  let length: number;
  try {
    length = checked('llistxattr', () => Number(llistxattr()(from, list, BigInt(list.length))), from);
  } catch (error) {
    // A file system without extended attributes has none to copy.
    if (error instanceof SystemError && error.code === 'ENOTSUP') return;
    throw error;
  }
  if (length === 0) return;
  for (const name of list.toString('utf8', 0, length - 1).split('\0')) {
    // Overlayfs keeps its private marks here; they mean nothing in another place.
    if (name.startsWith('trusted.overlay.') || name.startsWith('user.overlay.')) continue;
    const size = checked(
      'lgetxattr',
      () => Number(lgetxattr()(from, name, value, BigInt(value.length))),
      from,
    );
    checked('lsetxattr', () => lsetxattr()(to, name, value, BigInt(size), 0), to);
  }
}
