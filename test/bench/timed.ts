import { join } from 'node:path';
import type { Machine } from '../harness/namespaceMachine.ts';
import { repository } from '../harness/paths.ts';
import { run } from '../harness/run.ts';

/** As short as `true`, and its output shows when it is at its end. */
export const main = ['/bin/echo'];

/** What is run as PID 1 in a machine, and how it is called in the report. */
export type Contender = { name: string; what: string; command: string[] };

/** Milliseconds from exec to the end of the command, and to that of PID 1; and of the processor, with all its children. */
export type Run = { command: number; all: number; cpu: number };

/** Runs a program as PID 1 in the machine, or in another root in its mount namespace. */
export async function time(
  machine: Machine,
  command: readonly string[],
  inRoot = machine.root,
): Promise<Run> {
  const { said, ended, status, cpu } = await launch(machine, [inRoot, ...command]);
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}`);
  return { command: said, all: ended, cpu };
}

/** The same for one that does not end by itself. @returns milliseconds to its first output, at which it is killed. */
export async function timeToOutput(machine: Machine, command: readonly string[]): Promise<number> {
  return (await launch(machine, ['--until-output', machine.root, ...command])).said;
}

async function launch({ holder }: Machine, args: readonly string[]): Promise<Record<Launched, number>> {
  const launcher = join(repository, 'test/bench/launch.pl');
  const { stdout, stderr } = await run('nsenter', [
    `--mount=/proc/${holder}/ns/mnt`,
    ...['perl', launcher, ...args],
  ]);
  const [said, ended, status, cpu] = stdout.trim().split('\n').at(-1)?.split(' ').map(Number) ?? [];
  if (said === undefined || ended === undefined || status === undefined || cpu === undefined)
    throw new Error(`${args.join(' ')} failed: ${stdout}${stderr}`);
  return { said: said / 1e6, ended: ended / 1e6, status, cpu: cpu / 1e6 };
}

type Launched = 'said' | 'ended' | 'status' | 'cpu';
