import { constants, openSync, readdirSync } from 'node:fs';
import { beforeNode } from './before-node.ts';
import { checked, lazily } from './libc.ts';

const fcntl = lazily('fcntl', { return: 'int32', arguments: ['int32', 'int32', 'int32'] });
const pipe2 = lazily('pipe2', { return: 'int32', arguments: ['buffer', 'int32'] });

const F_GETFD = 1;
const F_DUPFD_CLOEXEC = 1030;
const FD_CLOEXEC = 1;
const O_CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;
/** Descriptors below this are in `BeforeNode.inherited`. */
const NOTED = 64;

/**
 * Descriptors above 2 that whoever started us meant for the command. libuv has marked the lowest ones close-on-exec by now,
 * as Node's own are from the start: those were noted down before. Ask before opening anything for the command.
 */
export function inheritedDescriptors(): number[] {
  const { inherited } = beforeNode;
  const above = readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => fd >= NOTED && isKept(fd));
  return [...inherited, ...above];
}

/** Not the one by which the directory was read: it is closed again. */
function isKept(fd: number): boolean {
  return (fcntl()(fd, F_GETFD, 0) & FD_CLOEXEC) === 0;
}

/** The working directory itself, for one whose name is gone or cannot be said in UTF-8 (open(2), O_PATH). */
export function openWorkingDirectory(): number {
  return openSync('.', O_PATH | constants.O_DIRECTORY);
}

/** The same open file under a number from `lowest` on; stays in this process. */
export function duplicateAbove(fd: number, lowest: number): number {
  return checked('fcntl', () => fcntl()(fd, F_DUPFD_CLOEXEC, lowest));
}

/** A pipe whose ends stay in this process (O_CLOEXEC); a child gets one by duplication. */
export function closeOnExecPipe(): { read: number; write: number } {
  const fds = Buffer.alloc(128);
  checked('pipe2', () => pipe2()(fds, O_CLOEXEC));
  return { read: fds.readInt32LE(0), write: fds.readInt32LE(4) };
}
