import type { Errno } from './strike.ts';

const making: Errno[] = ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS'];
const writing: Errno[] = ['ENOSPC', 'EDQUOT', 'EIO'];
const changing: Errno[] = ['EIO', 'EROFS'];

/** What a full disk, a quota, a bad disk and a read-only file system answer to each call (their manual pages). */
const errnosOf: Readonly<Record<string, readonly Errno[]>> = {
  ...on(['openat', 'mkdir', 'rename', 'link', 'symlink', 'mknod', 'setxattr', 'lsetxattr', 'bind'], making),
  ...on(['write', 'writev', 'pwrite64', 'pwritev', 'sendfile', 'copy_file_range', 'fallocate'], writing),
  ...on(['fsync', 'fdatasync', 'syncfs'], writing),
  ...on(
    ['unlink', 'unlinkat', 'rmdir', 'chmod', 'fchmod', 'chown', 'fchown', 'lchown', 'utimensat'],
    changing,
  ),
  ...on(['ftruncate', 'truncate', 'flock'], ['EIO']),
  ...on(['ioctl', 'mount'], ['ENOSPC', 'EIO']),
};

export const canFail = (name: string, errno: Errno): boolean => errnosOf[name]?.includes(errno) ?? false;

function on(names: readonly string[], errnos: readonly Errno[]): Record<string, readonly Errno[]> {
  return Object.fromEntries(names.map((name) => [name, errnos]));
}
