import { checked, lazily, SystemError } from './libc.ts';

const waitpid = lazily('waitpid', { return: 'int32', arguments: ['int32', 'buffer', 'int32'] });

const WNOHANG = 1;
const WUNTRACED = 2;
const STOPPED = 0x7f;

/** How a process ended. */
export type Ended = { pid: number; code: number } | { pid: number; signal: number };

/** A process that a signal has stopped; it is still there. */
export type Stopped = { pid: number; stopped: number };

/** Decodes a wait status (wait(2): WIFSTOPPED, WSTOPSIG, WIFEXITED, WEXITSTATUS, WTERMSIG). */
export function decodeWaitStatus(pid: number, status: number): Ended | Stopped {
  if ((status & 0xff) === STOPPED) return { pid, stopped: (status >> 8) & 0xff };
  const signal = status & 0x7f;
  return signal === 0 ? { pid, code: (status >> 8) & 0xff } : { pid, signal };
}

/** 128+n for a process that signal n ended, as shells have it. */
export function exitCodeOf(ended: Ended): number {
  return 'code' in ended ? ended.code : 128 + ended.signal;
}

const status = Buffer.alloc(128);

/**
 * Reaps one ended child, ours or an orphan, or learns that one was stopped, without blocking.
 * Takes exits away from libuv, so init must have no child that Node spawned (DESIGN §3).
 * @returns undefined when nothing of the kind happened, or there is no child at all (ECHILD).
 */
export function waitForOne(): Ended | Stopped | undefined {
  try {
    const pid = checked('waitpid', () => waitpid()(-1, status, WNOHANG | WUNTRACED));
    return pid === 0 ? undefined : decodeWaitStatus(pid, status.readInt32LE(0));
  } catch (error) {
    if (error instanceof SystemError && error.code === 'ECHILD') return undefined;
    throw error;
  }
}
