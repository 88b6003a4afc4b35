import { constants } from 'node:os';
import { bitsOf } from './bits.ts';
import { checked, lazily } from './libc.ts';

const sigprocmask = lazily('pthread_sigmask', { return: 'int32', arguments: ['int32', 'buffer', 'pointer'] });
const sigaction = lazily('sigaction', { return: 'int32', arguments: ['int32', 'buffer', 'buffer'] });

const SIG_SETMASK = 2;
const SIG_IGN = 1n;
/** Bytes of glibc's `struct sigaction`, which begins with the handler. */
const SIGACTION_BYTES = 152;

export const allSignals: readonly number[] = Array.from({ length: 64 }, (_, index) => index + 1);

/** Bytes of glibc's `sigset_t`. */
export const SIGSET_BYTES = 128;

/** A `sigset_t` as glibc lays it out: bit n-1 is signal n. */
export function signalSet(signals: Iterable<number>): Buffer {
  const set = Buffer.alloc(SIGSET_BYTES);
  for (const signal of signals)
    set[(signal - 1) >> 3] = (set[(signal - 1) >> 3] ?? 0) | (1 << ((signal - 1) & 7));
  return set;
}

/** The signals of a mask as the kernel has it: bit n-1 is signal n. */
export function signalsOf(mask: bigint): number[] {
  return bitsOf(mask).map((place) => place + 1);
}

/**
 * Replaces the main thread's signal mask. The other threads let in SIGTTOU and nothing else (src/native/syscall.h): blocked
 * here, it still reaches the process, and no longer stops the main thread's own writes to a terminal.
 */
export function setMainThreadMask(signals: readonly number[]): void {
  const set = signalSet(signals);
  checked('pthread_sigmask', () => (sigprocmask()(SIG_SETMASK, set, 0n) === 0 ? 0 : -1));
  mask = signals;
}

/** What the main thread blocks, since it was set here. */
let mask: readonly number[] = [];

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

/**
 * What init's main thread blocks. SIGTTOU is caught by the other threads and blocked in this one, so that writing to a
 * terminal with TOSTOP set, or taking it back, never stops init (termios(3)).
 */
export const initMask: readonly number[] = [signalNumber('SIGTTOU')];

/**
 * Ignores signals for the time of `act`, for a child to inherit (sigaction(2)). They are blocked meanwhile, so that one which
 * arrives just then is still handled afterwards.
 */
export function whileIgnoring<T>(signals: readonly number[], act: () => T): T {
  if (signals.length === 0) return act();
  const ignore = Buffer.alloc(SIGACTION_BYTES);
  ignore.writeBigUInt64LE(SIG_IGN);
  const before = mask;
  const handlers = signals.map((signal) => ({ signal, action: Buffer.alloc(SIGACTION_BYTES) }));
  setMainThreadMask([...before, ...signals]);
  for (const { signal, action } of handlers) checked('sigaction', () => sigaction()(signal, ignore, action));
  try {
    return act();
  } finally {
    const ours = Buffer.alloc(SIGACTION_BYTES);
    for (const { signal, action } of handlers) checked('sigaction', () => sigaction()(signal, action, ours));
    setMainThreadMask(before);
  }
}
