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
 * Runs a command of ours in a process of its own, with an item for each line of its progress; it ends when the client hangs up.
 * @param args the command and its options.
 * @returns how it ended, and what it answered with `--json`; null when it did not come to that.
 * @throws {InitError} EBUSY when somebody had it started already.
 */
export async function runCommand(
  args: readonly [string, ...string[]],
  { say, signal, exitOf, env }: RunOptions,
): Promise<{ exitCode: number; answer: unknown }> {
  const [name] = args;
  if (running.has(name)) throw busy(name);
  running.add(name);
  try {
    const output: string[] = [];
    const argv = ['nix-cache-init', ...args, '--json'] as const;
    const exitCode = await runHelper({
      file: process.execPath,
      argv: [...argv],
      env,
      signal,
      exitOf,
      onLine: (line) => say(line),
      onOutput: (line) => output.push(line),
    });
    return { exitCode, answer: parse(output.join('\n')) };
  } finally {
    running.delete(name);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // Its line on stderr has said why.
    if (error instanceof SyntaxError) return null;
    throw error;
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
