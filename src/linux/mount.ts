import { closeSync } from 'node:fs';
import { AT_FDCWD, checked, lazily } from './libc.ts';

const mount2 = lazily('mount', {
  return: 'int32',
  arguments: ['string', 'string', 'string', 'uint64', 'string'],
});
const umount2 = lazily('umount2', { return: 'int32', arguments: ['string', 'int32'] });

/** Flags of mount(2), from <sys/mount.h>. */
export const Mount = {
  readOnly: 1n,
  noSuid: 2n,
  noDev: 4n,
  noExec: 8n,
  noAtime: 1024n,
  remount: 32n,
  bind: 4096n,
  recursive: 16384n,
  private: 1n << 18n,
} as const;

const MNT_DETACH = 2;

/**
 * mount(2).
 * @throws {SystemError} EPERM without CAP_SYS_ADMIN, EACCES when a security module denies it, EINVAL for bad options.
 */
export function mount(source: string, target: string, type: string, flags = 0n, options = ''): void {
  checked('mount', () => mount2()(source, target, type, flags, options), target);
}

/** Makes `source` appear at `target` as well, without what is mounted below it. */
export function bindMount(source: string, target: string): void {
  mount(source, target, 'none', Mount.bind);
}

/** Makes one bind mount read-only; the mount it came from stays as it is. */
export function makeReadOnly(target: string): void {
  mount('none', target, 'none', Mount.bind | Mount.remount | Mount.readOnly);
}

/** Takes one mount out of its peer group (mount_namespaces(7)): what is mounted on others of it stays off this one. */
export function makePrivate(target: string): void {
  mount('none', target, 'none', Mount.private);
}

/**
 * umount2(2).
 * @throws {SystemError} EBUSY while in use, unless `lazy`, which detaches it from the tree at once.
 */
export function unmount(target: string, lazy = false): void {
  checked('umount2', () => umount2()(target, lazy ? MNT_DETACH : 0), target);
}

const fspick = lazily('fspick', { return: 'int32', arguments: ['int32', 'string', 'uint32'] });
const fsconfig = lazily('fsconfig', {
  return: 'int32',
  arguments: ['int32', 'uint32', 'pointer', 'pointer', 'int32'],
});

const FSPICK_CLOEXEC = 1;
const FSCONFIG_CMD_RECONFIGURE = 7;

/**
 * Remounts a file system as it is, for all who see it: the kernel forgets what it had cached of its names. By fspick(2) and not
 * by mount(2), which would also set the flags of the mount at `target`.
 * @throws {SystemError} EINVAL for what is no mount point, EPERM without CAP_SYS_ADMIN.
 */
export function remountFileSystem(target: string): void {
  const fd = checked('fspick', () => fspick()(AT_FDCWD, target, FSPICK_CLOEXEC), target);
  try {
    checked('fsconfig', () => fsconfig()(fd, FSCONFIG_CMD_RECONFIGURE, 0n, 0n, 0), target);
  } finally {
    closeSync(fd);
  }
}
