import { constants } from 'node:os';
import { checked, lazily } from './libc.ts';

const sigprocmask = lazily('pthread_sigmask', { return: 'int32', arguments: ['int32', 'buffer', 'pointer'] });

const SIG_SETMASK = 2;

/** Bytes of glibc's `sigset_t`. */
export const SIGSET_BYTES = 128;

export const allSignals: readonly number[] = Array.from({ length: 64 }, (_, index) => index + 1);

/** A `sigset_t` as glibc lays it out: bit n-1 is signal n. */
export function signalSet(signals: Iterable<number>): Buffer {
  const set = Buffer.alloc(SIGSET_BYTES);
  for (const signal of signals)
    set[(signal - 1) >> 3] = (set[(signal - 1) >> 3] ?? 0) | (1 << ((signal - 1) & 7));
  return set;
}

/**
 * Replaces the main thread's signal mask. Other threads keep theirs, so a signal blocked here is still delivered to
 * the process: what changes is what the kernel makes of the main thread's own terminal writes (SIGTTOU).
 */
export function setMainThreadMask(signals: Iterable<number>): void {
  setMask(signalSet(signals));
}

/** Runs `act` with all signals blocked on the main thread; other threads still catch them for the process. */
export function withSignalsBlocked<T>(act: () => T): T {
  const before = Buffer.alloc(SIGSET_BYTES);
  setMask(signalSet(allSignals), before);
  try {
    return act();
  } finally {
    setMask(before);
  }
}

function setMask(set: Buffer, before: Buffer | bigint = 0n): void {
  checked('pthread_sigmask', () => (sigprocmask()(SIG_SETMASK, set, before) === 0 ? 0 : -1));
}

// KILL and STOP cannot be caught; CHLD is the reaper's; the rest are our own faults, after which no handler can run.
const notForwarded = new Set(['SIGKILL', 'SIGSTOP', 'SIGCHLD', 'SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL']);

/** Two names of one number (`SIGIOT`, `SIGPOLL`) would be forwarded twice. */
function byNumber(): Map<number, NodeJS.Signals> {
  const names = new Map<number, NodeJS.Signals>();
  for (const [name, number] of Object.entries(constants.signals)) {
    if (number <= 31 && !notForwarded.has(name) && !names.has(number))
      names.set(number, name as NodeJS.Signals);
  }
  return names;
}

/** Every signal of 1–31 that init catches and hands on, by number (signal(7)). */
export const forwardedSignals: ReadonlyMap<number, NodeJS.Signals> = byNumber();

export const signalNumber = (name: NodeJS.Signals): number => constants.signals[name];

/** Whether a process has a handler for a signal, by its /proc/PID/status (SigCgt in proc_pid_status(5)). */
export function hasHandler(status: string, signal: number): boolean {
  const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return mask !== undefined && ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n;
}
