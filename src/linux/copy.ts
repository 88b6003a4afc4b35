import { checked, lazily, SystemError } from './libc.ts';

const ioctl = lazily('ioctl', { return: 'int32', arguments: ['int32', 'uint64', 'int32'] });
const sendfile = lazily('sendfile', { return: 'int64', arguments: ['int32', 'int32', 'pointer', 'uint64'] });

const FICLONE = 0x40049409n;
const noReflink = new Set([
  'EOPNOTSUPP',
  'ENOTSUP',
  'EXDEV',
  'EINVAL',
  'ENOTTY',
  'ENOSYS',
  'EPERM',
  'EBADF',
  'ETXTBSY',
]);

/**
 * Shares the blocks of one file with another, empty one (ioctl_ficlone(2)): takes no time and no space.
 * @returns false where the file systems cannot.
 */
export function reflink(from: number, to: number): boolean {
  try {
    checked('ioctl', () => ioctl()(to, FICLONE, from));
    return true;
  } catch (error) {
    if (error instanceof SystemError && noReflink.has(error.code)) return false;
    throw error;
  }
}

/**
 * Copies up to `count` bytes between two descriptors at their offsets, inside the kernel (sendfile(2)).
 * @returns the bytes copied; 0 at the end of the file.
 */
export function sendBytes(from: number, to: number, count: number): number {
  return checked('sendfile', () => Number(sendfile()(to, from, 0n, BigInt(count))));
}
