import { Exit, InitError } from '../errors.ts';
import { type ExitOf, runHelper } from '../linux/helper.ts';

export type RunOptions = {
  say(item: unknown): void;
  signal: AbortSignal;
  exitOf: ExitOf;
  /** The configuration of init. */
  env: Readonly<Record<string, string>>;
};

/** Those that are at work. */
const running = new Set<string>();

/**
 * Runs a command of ours in a process of its own, with a line for each that it says; it ends when the client hangs up.
 * @param args the command and its options.
 * @returns how it ended.
 * @throws {InitError} EBUSY when somebody had it started already.
 */
export async function runCommand(
  args: readonly [string, ...string[]],
  { say, signal, exitOf, env }: RunOptions,
): Promise<{ exitCode: number }> {
  const [name] = args;
  if (running.has(name)) throw busy(name);
  running.add(name);
  try {
    const argv = ['nix-cache-init', ...args, '--json'] as const;
    const exitCode = await runHelper({
      file: process.execPath,
      argv: [...argv],
      env,
      signal,
      exitOf,
      onLine: (line) => say(line),
    });
    return { exitCode };
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
