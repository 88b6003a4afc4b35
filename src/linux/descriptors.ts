import { readdirSync } from 'node:fs';
import { checked, lazily } from './libc.ts';

const fcntl = lazily('fcntl', { return: 'int32', arguments: ['int32', 'int32', 'int32'] });
const pipe2 = lazily('pipe2', { return: 'int32', arguments: ['buffer', 'int32'] });

const F_GETFD = 1;
const FD_CLOEXEC = 1;
const O_CLOEXEC = 0o2000000;

/**
 * Descriptors above 2 that whoever started us meant for the command: everything Node opens is close-on-exec.
 */
export function inheritedDescriptors(): number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => {
      if (fd <= 2) return false;
      const flags = fcntl()(fd, F_GETFD, 0);
      return flags !== -1 && (flags & FD_CLOEXEC) === 0;
    });
}

/** A pipe whose ends stay in this process (O_CLOEXEC); a child gets one by duplication. */
export function closeOnExecPipe(): { read: number; write: number } {
  const fds = Buffer.alloc(128);
  checked('pipe2', () => pipe2()(fds, O_CLOEXEC));
  return { read: fds.readInt32LE(0), write: fds.readInt32LE(4) };
}
