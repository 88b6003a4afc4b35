import { hasErrno } from '../errors.ts';
import { checked, lazily } from './libc.ts';

const ptrace = lazily('ptrace', {
  return: 'int64',
  arguments: ['int64', 'int32', 'uint64', 'uint64'],
});

const PTRACE_DETACH = 17;

/**
 * Lets go of a stopped child that made us its tracer (PTRACE_TRACEME in ptrace(2)), which takes no consent of ours: it would
 * wait for us at each of its signals.
 * @param signal delivered to it, 0 for none.
 * @returns false when we are not its tracer: then the stop is its own.
 */
export function detachTracee(pid: number, signal: number): boolean {
  try {
    checked('ptrace', () => Number(ptrace()(BigInt(PTRACE_DETACH), pid, 0n, BigInt(signal))));
    return true;
  } catch (error) {
    if (hasErrno(error, 'ESRCH', 'EPERM')) return false;
    throw error;
  }
}
