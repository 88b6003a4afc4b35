import { join } from 'node:path';
import type { Machine } from '../harness/namespaceMachine.ts';
import { repository } from '../harness/paths.ts';
import { run } from '../harness/run.ts';

/** As short as `true`, and its output shows when it is at its end. */
export const main = ['/bin/echo'];

/** Milliseconds from exec to the end of the command, and to that of PID 1; and of the processor, with all its children. */
export type Run = { command: number; all: number; cpu: number };

/** Runs a program as PID 1 in the machine, or in another root in its mount namespace. */
export async function time(
  { holder, root }: Machine,
  command: readonly string[],
  inRoot = root,
): Promise<Run> {
  const launcher = join(repository, 'test/bench/launch.pl');
  const { stdout, stderr } = await run('nsenter', [
    `--mount=/proc/${holder}/ns/mnt`,
    ...['perl', launcher, inRoot, ...command],
  ]);
  const [said, ended, status, cpu] = stdout.trim().split('\n').at(-1)?.split(' ').map(Number) ?? [];
  if (said === undefined || ended === undefined || cpu === undefined || status !== 0)
    throw new Error(`${command.join(' ')} failed: ${stdout}${stderr}`);
  return { command: said / 1e6, all: ended / 1e6, cpu: cpu / 1e6 };
}
