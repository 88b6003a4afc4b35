import { constants } from 'node:os';
import { hasErrno } from '../errors.ts';
import { attempt, checked, cString, lazily, SystemError } from './libc.ts';

const llistxattr = lazily('llistxattr', { return: 'int64', arguments: ['buffer', 'buffer', 'uint64'] });
const lgetxattr = lazily('lgetxattr', {
  return: 'int64',
  arguments: ['buffer', 'string', 'buffer', 'uint64'],
});
const lsetxattr = lazily('lsetxattr', {
  return: 'int32',
  arguments: ['buffer', 'string', 'buffer', 'uint64', 'int32'],
});
const lremovexattr = lazily('lremovexattr', { return: 'int32', arguments: ['buffer', 'buffer'] });

const XATTR_LIST_MAX = 65536;

// One for all calls: a fresh one each was most of the time that copying a symlink took. Not before the first: most boots
// copy nothing.
let room: { list: Buffer; value: Buffer } | undefined;

/** lsetxattr(2). */
export function setXattr(path: string, name: string, value: string): void {
  const bytes = Buffer.from(value);
  checked('lsetxattr', () => lsetxattr()(cString(path), name, bytes, BigInt(bytes.length), 0), path);
}

/** lremovexattr(2). */
export function removeXattr(path: string, name: string): void {
  checked('lremovexattr', () => lremovexattr()(cString(path), cString(name)), path);
}

/** Whether the path itself has an extended attribute, whatever its value. Asked of all that is cached, which has mostly none. */
export function hasXattr(path: string, name: string): boolean {
  const result = attempt(() => Number(lgetxattr()(cString(path), name, nothing, 0n)));
  if (result === -ENODATA || result === -ENOTSUP) return false;
  if (result < 0) throw new SystemError(-result, 'lgetxattr', path);
  return true;
}

const nothing = Buffer.alloc(0);
const { ENODATA, ENOTSUP } = constants.errno;

/** Copies all extended attributes (xattr(7)), access control lists among them, of the path itself. */
export function copyXattrs(from: Buffer, to: Buffer): void {
  room ??= { list: Buffer.alloc(XATTR_LIST_MAX), value: Buffer.alloc(XATTR_LIST_MAX) };
  const { list, value } = room;
  const source = cString(from);
  const target = cString(to);
  let length: number;
  try {
    length = checked(
      'llistxattr',
      () => Number(llistxattr()(source, list, BigInt(list.length))),
      from.toString(),
    );
  } catch (error) {
    // A file system without extended attributes has none to copy.
    if (hasErrno(error, 'ENOTSUP')) return;
    throw error;
  }
  if (length === 0) return;
  for (const name of list.toString('utf8', 0, length - 1).split('\0')) {
    // Overlayfs keeps its private marks here; they mean nothing in another place. A label is the security module's to give.
    if (/^(trusted|user)\.overlay\.|^security\.selinux$/.test(name)) continue;
    const size = checked(
      'lgetxattr',
      () => Number(lgetxattr()(source, name, value, BigInt(value.length))),
      from.toString(),
    );
    checked('lsetxattr', () => lsetxattr()(target, name, value, BigInt(size), 0), to.toString());
  }
}
