import { join } from 'node:path';
import type { Machine } from './namespaceMachine.ts';
import { fixtures } from './paths.ts';
import { run } from './run.ts';

/** Who is still there so long after it was told to end, hangs: the grace is 8 s. */
const BOUND_S = 30;

export interface TermOutcome {
  status: number | 'hung';
  /** When TERM really was sent, in milliseconds from the exec. */
  sentMs: number;
  /** For how long the main thread had run by then; on a busy machine, less than that. */
  ranMs: number;
  stderr: string;
}

/**
 * Runs a program as PID 1 of the machine, its mounts to be seen by others, and sends it TERM.
 * @param milliseconds from its execve(2); `never` lets it come to its own end.
 * @param from `blocked`: not before its first instructions have blocked TERM. Until then the kernel drops it, and on a busy
 * machine they may be long in coming; the bench says how long they take.
 */
export async function termAfter(
  machine: Machine,
  milliseconds: number | 'never',
  command: readonly string[],
  from: 'exec' | 'blocked' = 'exec',
): Promise<TermOutcome> {
  const script = join(fixtures, 'programs/term-after.pl');
  const { stdout, stderr } = await run('nsenter', [
    `--mount=/proc/${machine.holder}/ns/mnt`,
    ...['perl', script, machine.root, `${milliseconds}`, `${BOUND_S}`, from, ...command],
  ]);
  const [status = '', sent = '', ran = ''] = stdout.split(' ');
  if (status === '') throw new Error(`${command.join(' ')}: nothing was started: ${stderr}`);
  return {
    status: status === 'hung' ? status : Number(status),
    sentMs: Number(sent),
    ranMs: Number(ran),
    stderr,
  };
}
