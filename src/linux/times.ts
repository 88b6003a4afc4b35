import { AT_FDCWD, checked, cString, lazily } from './libc.ts';

const utimensat = lazily('utimensat', { return: 'int32', arguments: ['int32', 'buffer', 'buffer', 'int32'] });

const AT_SYMLINK_NOFOLLOW = 0x100;

// One for all calls, as in xattrs.ts.
const times = Buffer.alloc(32);

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
