import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  fsync,
  fsyncSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';

import { dirname } from 'node:path';
import { hasErrno } from '../errors.ts';
import { checked, cString, lazily } from './libc.ts';

const syncfs2 = lazily('syncfs', { return: 'int32', arguments: ['int32'] });
const utimensat = lazily('utimensat', { return: 'int32', arguments: ['int32', 'buffer', 'buffer', 'int32'] });
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

const renameat2 = lazily('renameat2', {
  return: 'int32',
  arguments: ['int32', 'buffer', 'int32', 'buffer', 'uint32'],
});

const AT_FDCWD = -100;
const RENAME_EXCHANGE = 2;
const RENAME_WHITEOUT = 4;
const AT_SYMLINK_NOFOLLOW = 0x100;
const XATTR_LIST_MAX = 65536;

// One for all calls: a fresh one each was most of the time that copying a symlink took. Not before the first: most boots
// copy nothing.
let room: { list: Buffer; value: Buffer } | undefined;
const times = Buffer.alloc(32);

/** The text of a file, or undefined where there is none. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

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

/** Gives each of two paths what the other one has, in one step (rename(2), RENAME_EXCHANGE). */
export function exchange(one: string, other: string): void {
  rename(one, other, RENAME_EXCHANGE);
}

/** Moves a file and leaves a whiteout in its place, in one step (rename(2), RENAME_WHITEOUT). */
export function renameToWhiteout(from: string, to: string): void {
  rename(from, to, RENAME_WHITEOUT);
}

function rename(from: string, to: string, flags: number): void {
  const [a, b] = [cString(from), cString(to)];
  checked('renameat2', () => renameat2()(AT_FDCWD, a, AT_FDCWD, b, flags), to);
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

function flushLater(path: string): Promise<void> {
  const fd = openSync(path, 'r');
  const flushed = new Promise<void>((resolve, reject) => {
    fsync(fd, (error) => (error === null ? resolve() : reject(error)));
  });
  return flushed.finally(() => closeSync(fd));
}

/** A name in a directory is durable only once the directory itself is (fsync(2)). */
export function flushDirectory(path: string): void {
  withDescriptor(path, 'r', fsyncSync);
}

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

/**
 * Makes a directory under another name until it is complete: after a kill in between it would be taken as found, owner and
 * mode wrong.
 * @param temporary on the same file system.
 */
export function placeDirectory(path: string | Buffer, temporary: string, { uid, gid, mode }: Owner): void {
  // What an earlier kill left may be anything.
  removeTree(temporary);
  mkdirSync(temporary, { mode: 0o700 });
  const kept = giveOwner(temporary, uid, gid);
  chmodSync(temporary, permissions(mode, kept));
  renameSync(temporary, path);
}

/**
 * mkdir(2) with all parents that are missing. Node's own way says ENOENT for what it does not expect: a quota, a bad disk, a
 * read-only file system.
 */
export function makeDirectories(path: string, mode = 0o777): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
    if (!hasErrno(error, 'ENOENT')) throw error;
    makeDirectories(dirname(path), mode);
    mkdirSync(path, { mode });
  }
}

/** Removes a file, if there is one; never a directory. */
export function removeFile(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) unlinkSync(path);
}

/**
 * Removes a path with all that is below it; one that is not there is as good. Node's own way keeps the errno of a bad disk, or
 * of one that is read-only, to itself.
 */
export function removeTree(path: string | Buffer): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isDirectory()) {
    unlinkSync(path);
    return;
  }
  for (const name of readdirSync(path, 'buffer'))
    removeTree(Buffer.concat([Buffer.from(path), Buffer.from('/'), name]));
  rmdirSync(path);
}

/** The same for a tree of somebody's own with directories that are not to be written to, as those of store paths. */
export function removeReadOnlyTree(path: string | Buffer): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (stat.isDirectory()) makeTreeWritable(Buffer.from(path));
  removeTree(path);
}

function makeTreeWritable(directory: Buffer): void {
  chmodSync(directory, 0o700);
  for (const entry of readdirSync(directory, { withFileTypes: true, encoding: 'buffer' })) {
    if (entry.isDirectory()) makeTreeWritable(Buffer.concat([directory, Buffer.from('/'), entry.name]));
  }
}

/** Everything written to the file system of `path` is on the disk when it returns. */
export function flushFileSystem(path: string): void {
  withDescriptor(path, 'r', syncFileSystem);
}

function withDescriptor(path: string, flags: string, act: (fd: number) => void, mode = 0o644): void {
  const fd = openSync(path, flags, mode);
  try {
    act(fd);
  } finally {
    closeSync(fd);
  }
}

/** syncfs(2): everything written to the file system of `fd` is on the disk when it returns. */
function syncFileSystem(fd: number): void {
  checked('syncfs', () => syncfs2()(fd));
}

const NS = 1_000_000_000n;

/** utimensat(2) on the path itself, not where a symlink leads. Node's own utimes lose the nanoseconds. */
export function setTimes(path: Buffer, atimeNs: bigint, mtimeNs: bigint): void {
  for (const [index, ns] of [atimeNs, mtimeNs].entries()) {
    // tv_nsec counts forward from tv_sec, before 1970 too.
    const fraction = ((ns % NS) + NS) % NS;
    times.writeBigInt64LE((ns - fraction) / NS, index * 16);
    times.writeBigInt64LE(fraction, index * 16 + 8);
  }
  const name = cString(path);
  checked('utimensat', () => utimensat()(AT_FDCWD, name, times, AT_SYMLINK_NOFOLLOW), path.toString());
}

/** lsetxattr(2). */
export function setXattr(path: string, name: string, value: string): void {
  const bytes = Buffer.from(value);
  checked('lsetxattr', () => lsetxattr()(cString(path), name, bytes, BigInt(bytes.length), 0), path);
}

/** lremovexattr(2). */
export function removeXattr(path: string, name: string): void {
  checked('lremovexattr', () => lremovexattr()(cString(path), cString(name)), path);
}

/** Whether the path itself has an extended attribute, whatever its value. */
export function hasXattr(path: string, name: string): boolean {
  try {
    checked('lgetxattr', () => Number(lgetxattr()(cString(path), name, Buffer.alloc(0), 0n)), path);
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENODATA', 'ENOTSUP')) return false;
    throw error;
  }
}

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
