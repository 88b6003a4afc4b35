import { Exit, InitError } from '../errors.ts';
import { answerIn, type OwnCommand, runOwnCommand } from '../supervise/own-command.ts';

export type RunOptions = Pick<OwnCommand, 'signal' | 'exitOf' | 'loaded'> & {
  say(item: unknown): void;
};

/** Those that are at work. */
const running = new Set<string>();

/**
 * Runs a command of ours in a process of its own, with an item for each line of its progress; it ends when the client hangs up.
 * @param args the command and its options.
 * @returns how it ended, and what it answered with `--json`; null when it did not come to that.
 * @throws {InitError} EBUSY when somebody had it started already.
 */
export async function runCommand(
  args: readonly [string, ...string[]],
  { say, ...options }: RunOptions,
): Promise<{ exitCode: number; answer: unknown }> {
  const [name] = args;
  if (running.has(name)) throw busy(name);
  running.add(name);
  try {
    const { exitCode, output } = await runOwnCommand([...args, '--json'], { ...options, onLine: say });
    return { exitCode, answer: answerIn(output) ?? null };
  } finally {
    running.delete(name);
  }
}

const busy = (name: string): InitError =>
  new InitError({
    stage: 'control',
    what: `${name} is at work already`,
    errno: 'EBUSY',
    remedy: 'wait until it is done',
    exitCode: Exit.locked,
  });
