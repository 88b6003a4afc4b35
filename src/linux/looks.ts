import { statSync } from 'node:fs';

/** How recent a change may be for the next one to get the same time: the kernel's clock ticks every 10 ms at most. */
const TICK_NS = 20_000_000n;

/**
 * How a directory looks: equal looks mean that no name came, went or was replaced. One system call. The time of its last
 * change it is: overlayfs gives a directory its other time back after it copied something up (fs/overlayfs/copy_up.c).
 * @returns undefined when it is not there; null when it has changed so recently that a later change might look the same.
 */
export function settledLooks(path: string): string | null | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  const { ino, ctimeNs } = stat;
  return isSettled(ctimeNs) ? `${ino}-${ctimeNs}` : null;
}

/** Whether a time of the file system, in nanoseconds, is so long ago that a change after now gets a later one. */
export const isSettled = (timeNs: bigint): boolean => BigInt(Date.now()) * 1_000_000n - timeNs > TICK_NS;
