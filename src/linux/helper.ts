import { closeSync, openSync } from 'node:fs';
import { readLines } from './lines.ts';
import { sendSignal } from './process.ts';
import { spawn } from './spawn.ts';
import { type Ended, exitCodeOf } from './wait.ts';

/** Tells how a child of ours ended: PID 1 has one place that waits for processes. */
export type ExitOf = (pid: number) => Promise<Ended>;

export type HelperRequest = {
  /** The program's path where its first argument is not that. */
  file?: string;
  /** The program, by its path, and its arguments. */
  argv: readonly [string, ...string[]];
  /** Over init's own environment; undefined takes a variable away. */
  env: Readonly<Record<string, string | undefined>>;
  /** Aborted to have it end. */
  signal: AbortSignal;
  exitOf: ExitOf;
  /** Each line that it says, on whichever output. */
  onLine: (line: string) => void;
  /** What is on its standard output, where that is to be told apart. */
  onOutput?: (line: string) => void;
};

/** How long a helper that was told to end may take to do so. */
const KILL_AFTER_MS = 1000;

/**
 * Runs a program of the image for init itself, in a session of its own and beside whatever else runs.
 * @returns its exit code; 128+n when signal n ended it.
 * @throws {SystemError} when it cannot be started.
 */
export async function runHelper({
  argv,
  file = argv[0],
  env,
  signal,
  exitOf,
  onLine,
  onOutput,
}: HelperRequest): Promise<number> {
  signal.throwIfAborted();
  const errors = readLines(onLine);
  const output = onOutput === undefined ? errors : readLines(onOutput);
  const nothing = openSync('/dev/null', 'r');
  let pid: number;
  try {
    const fds = [nothing, output.write, errors.write];
    pid = spawn({ file, argv, env: variables(env), cwd: '/', fds, session: true });
  } finally {
    closeSync(nothing);
    for (const fd of new Set([output.write, errors.write])) closeSync(fd);
  }
  const ended = exitOf(pid);
  let kill: NodeJS.Timeout | undefined;
  const abort = (): void => {
    sendSignal(-pid, 'SIGTERM');
    kill = setTimeout(() => sendSignal(-pid, 'SIGKILL'), KILL_AFTER_MS);
  };
  signal.addEventListener('abort', abort);
  try {
    const code = exitCodeOf(await ended);
    await Promise.all([output.over, errors.over]);
    return code;
  } finally {
    signal.removeEventListener('abort', abort);
    clearTimeout(kill);
  }
}

function variables(changes: HelperRequest['env']): string[] {
  const all = { ...process.env, ...changes };
  return Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
}
