import { checked, lazily } from './libc.ts';

const prctl2 = lazily('prctl', {
  return: 'int32',
  arguments: ['int32', 'pointer', 'uint64', 'uint64', 'uint64'],
});

/** Options of prctl(2), from <linux/prctl.h>. */
export const Prctl = {
  setDeathSignal: 1,
  getDeathSignal: 2,
  getDumpable: 3,
  setDumpable: 4,
  setChildSubreaper: 36,
  ambientSet: 47,
} as const;

/**
 * prctl(2) on the main thread.
 * @param argument the second argument: a number, or where the answer goes.
 * @throws {SystemError}
 */
export function prctl(option: number, argument: bigint | Buffer = 0n, third = 0n): number {
  return checked('prctl', () => prctl2()(option, argument, third, 0n, 0n));
}
