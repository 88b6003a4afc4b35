import { constants } from 'node:os';
import { execa, type Options } from 'execa';

export interface Outcome {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  env?: Record<string, string>;
  cwd?: string;
  input?: string;
}

/** Runs a program to its end and reports how it went; only a program that cannot start is an exception. */
export async function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const result = await execa(file, args, { ...options, reject: false, stdin: stdinFor(options) });
  if (result.exitCode === undefined && result.signal === undefined) {
    throw new Error(`cannot run ${file}: ${result.shortMessage ?? 'unknown reason'}`);
  }
  const exitCode = result.exitCode ?? 128 + (constants.signals[result.signal ?? 'SIGKILL'] ?? 0);
  return { exitCode, stdout: result.stdout, stderr: result.stderr };
}

/** As `run`, for programs whose failure means that the test ground itself is broken. */
export async function runOk(
  file: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { exitCode, stdout, stderr } = await run(file, args, options);
  if (exitCode !== 0) {
    throw new Error(`${file} ${args.join(' ')}: exit ${exitCode}\n${tail(`${stdout}\n${stderr}`)}`);
  }
  return stdout;
}

export function tail(text: string, lines = 20): string {
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}

function stdinFor(options: RunOptions): Options['stdin'] & ('ignore' | 'pipe') {
  return options.input === undefined ? 'ignore' : 'pipe';
}
