import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Exit, InitError, type Stage } from '../../errors.ts';
import { findCommand } from '../../linux/commands.ts';

const run = promisify(execFile);

/** As much as a program may say: a line for each of the paths it is given. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** What running one of Nix's programs needs. */
export type NixContext = {
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  /** For whose message it is, when it is not a check's. */
  stage?: Stage;
};

/** The path of one of Nix's programs. @throws {InitError} 78 where there is none. */
export function requireNix(program: string, { env, stage = 'check' }: NixContext): string {
  const path = findCommand(program, env['PATH']);
  if (path !== undefined) return path;
  throw new InitError({
    stage,
    what: `${program} is not here, which this takes`,
    errno: 'ENOENT',
    remedy: 'run it in an image that has Nix, with its bin directory on PATH',
    exitCode: Exit.config,
  });
}

/**
 * Runs one of Nix's programs to its end.
 * @returns what it wrote; {Error} with the last line of what it said when it failed.
 * @throws the signal's reason when that ended it.
 */
export async function runNix(
  program: string,
  args: readonly string[],
  { env, signal, stage = 'check' }: NixContext,
): Promise<string | Error> {
  try {
    const { stdout } = await run(program, args, { env, signal, maxBuffer: MAX_OUTPUT_BYTES });
    return stdout;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Error) || !('stderr' in error) || !('code' in error)) throw error;
    // It was killed, so that this is not its answer.
    if ('signal' in error && error.signal != null) throw killed(stage, program, String(error.signal), error);
    if (typeof error.code !== 'number') throw error;
    const [last = 'no reason given'] = String(error.stderr).trim().split('\n').slice(-1);
    return new Error(last, { cause: error });
  }
}

const killed = (stage: Stage, program: string, by: string, cause: Error): InitError =>
  new InitError({
    stage,
    what: `${program} was killed by ${by}`,
    errno: 'EINTR',
    remedy: 'run it again; if that was for want of memory, with more of it',
    exitCode: Exit.io,
    cause,
  });
