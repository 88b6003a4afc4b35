import { lazily } from './libc.ts';

const isatty = lazily('isatty', { return: 'int32', arguments: ['int32'] });
const tcgetpgrp = lazily('tcgetpgrp', { return: 'int32', arguments: ['int32'] });
const tcsetpgrp = lazily('tcsetpgrp', { return: 'int32', arguments: ['int32', 'int32'] });
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
