import { checked, lazily } from './libc.ts';

const isatty = lazily('isatty', { return: 'int32', arguments: ['int32'] });
const tcgetpgrp = lazily('tcgetpgrp', { return: 'int32', arguments: ['int32'] });
const tcsetpgrp = lazily('tcsetpgrp', { return: 'int32', arguments: ['int32', 'int32'] });
const setsid = lazily('setsid', { return: 'int32', arguments: [] });
const ioctl = lazily('ioctl', { return: 'int32', arguments: ['int32', 'uint64', 'int32'] });
const dup2 = lazily('dup2', { return: 'int32', arguments: ['int32', 'int32'] });
const getpgrp = lazily('getpgrp', { return: 'int32', arguments: [] });

/** isatty(3). Not Node's: that loads its network stack, a tenth of the whole boot. */
export const isTerminal = (fd: number): boolean => isatty()(fd) === 1;

/**
 * The descriptor of our controlling terminal, if one of the standard descriptors is it and we are in its foreground:
 * a background job must not take the terminal from the shell that has it.
 */
export function foregroundTerminal(): number | undefined {
  for (const fd of [0, 1, 2]) {
    if (isTerminal(fd) && tcgetpgrp()(fd) === getpgrp()()) return fd;
  }
  return undefined;
}

/**
 * Makes a process group of our session the terminal's foreground. SIGTTOU must be blocked or ignored. A terminal that has
 * hung up is no error: there is nothing to give.
 */
export function giveTerminal(fd: number, group: number): void {
  tcsetpgrp()(fd, group);
}

/** Takes it back for our own group, so that the shell that started us finds it as it gave it. */
export function reclaimTerminal(fd: number): void {
  giveTerminal(fd, getpgrp()());
}

const TIOCSCTTY = 0x540en;

/**
 * Makes a terminal that of a session of our own, with us in the foreground, and our standard input, output and errors.
 * @throws {SystemError} EPERM when we lead a group already, or it is another session's.
 */
export function adoptTerminal(fd: number): void {
  checked('setsid', () => setsid()());
  checked('ioctl', () => ioctl()(fd, TIOCSCTTY, 1));
  for (const standard of [0, 1, 2]) checked('dup2', () => dup2()(fd, standard));
}
