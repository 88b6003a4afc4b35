import type { Outcome } from './run.ts';

/**
 * A shell snippet that runs `"$@"` and has strace send it a signal at its n-th call of a kind. strace is PID 1 then, or
 * rather the shell that waits for it: the kernel keeps a PID 1 safe from the KILL of its own descendants.
 */
export function sendAt(call: string, n: number, signal: string): string {
  const inject = `-e trace=${call} -e inject=${call}:signal=${signal}:when=${n}`;
  return `strace -f -qqq -o /dev/null ${inject} "$@"; exit $?`;
}

/** As `sendAt`, with the program as PID 1 and strace below it; for signals that PID 1 handles. */
export function sendToInitAt(call: string, n: number, signal: string): string {
  return `exec strace -D -f -qqq -o /dev/null -e trace=${call} -e inject=${call}:signal=${signal}:when=${n} "$@"`;
}

/** The calls of a kind that are hit: the first few, then ever fewer, for as long as the program makes so many. */
export function* depths(): Generator<number> {
  for (let n = 1; ; n *= 2) yield n;
}

/**
 * Tries a growing number of calls of each kind, until the program makes fewer than that and ends by itself.
 * @returns how often it was hit.
 */
export async function atGrowingDepth(
  calls: readonly string[],
  attempt: (call: string, n: number) => Promise<Outcome>,
): Promise<number> {
  let hits = 0;
  for (const call of calls) {
    for (const n of depths()) {
      const { exitCode, stderr } = await attempt(call, n);
      if (exitCode === 0) break;
      if (exitCode < 128) throw new Error(`call ${n} of ${call}: exit ${exitCode}: ${stderr}`);
      hits += 1;
    }
  }
  return hits;
}

/** The n-th call of a kind, where strace kills who makes it. */
export interface KillPoint {
  call: string;
  n: number;
}

/**
 * strace's options to kill whoever first makes so many calls of a kind. Not with --seccomp-bpf: strace
 * 6.1 then sends nothing.
 */
export const killing = ({ call, n }: KillPoint): string[] =>
  [`trace=${call}`, `inject=${call}:signal=KILL:when=${n}`].flatMap((expression) => ['-e', expression]);
