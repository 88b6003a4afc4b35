import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Outcome, runOk } from './run.ts';

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

/**
 * Runs the program to its end.
 * @returns where to kill it the next time: at the first few calls of each kind that it makes, then ever fewer.
 */
export async function killPoints(
  calls: readonly string[],
  file: string,
  args: readonly string[],
): Promise<KillPoint[]> {
  const directory = mkdtempSync(join(tmpdir(), 'nix-cache-init-calls-'));
  const log = join(directory, 'log');
  try {
    await runOk('strace', ['-f', '-qqq', '-o', log, '-e', `trace=${calls.join()}`, file, ...args]);
    return [...mostByOne(readFileSync(log, 'utf8'))].flatMap(([call, most]) => {
      const points: KillPoint[] = [];
      for (const n of depths()) {
        if (n > most) return points;
        points.push({ call, n });
      }
      return points;
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** strace counts the calls of each thread for itself. */
function mostByOne(log: string): Map<string, number> {
  const byThread = new Map<string, number>();
  const most = new Map<string, number>();
  for (const [, thread = '', call = ''] of log.matchAll(/^(\d+) +(\w+)\(/gm)) {
    const count = (byThread.get(`${thread} ${call}`) ?? 0) + 1;
    byThread.set(`${thread} ${call}`, count);
    most.set(call, Math.max(count, most.get(call) ?? 0));
  }
  return most;
}
