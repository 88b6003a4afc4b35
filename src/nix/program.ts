import { withoutCredentials } from '../config/cache-uri.ts';
import { type ExitOf, type HelperRequest, runHelper } from '../linux/helper.ts';
import type { Log } from '../log.ts';

/** What running a program of Nix takes. */
export type Running = {
  log: Log;
  exitOf: ExitOf;
  signal: AbortSignal;
  /** Over init's own environment; without it the program uses the store itself. */
  env?: HelperRequest['env'];
  /** Told each line that the program says. */
  onLine?: (line: string) => void;
};

const TAIL_LINES = 3;

/** A program of Nix that did not do what it was asked to. */
export class NixFailure extends Error {
  override readonly name = 'NixFailure';

  /** Whether it was for lack of space (strerror(3), in the C locale). */
  get isDiskFull(): boolean {
    return /No space left on device|Disk quota exceeded/.test(this.message);
  }
}

/** The end of what a program has said, as one line: its error. */
export const lastLines = (text: string, separator = ' '): string =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-TAIL_LINES)
    .join(separator);

/** init is no client of a daemon, which may not run yet, or no more: it uses the store itself. */
export const nixEnvironment = (): HelperRequest['env'] => ({
  HOME: process.env['HOME'] ?? '/root',
  NIX_REMOTE: undefined,
  // What it says of an error is to be understood.
  LC_ALL: 'C',
});

/**
 * Runs a program of Nix; what it says is for the debug log.
 * @throws {NixFailure} with the last of what it said, when it fails.
 */
export async function runNix(argv: HelperRequest['argv'], running: Running): Promise<void> {
  const { log, exitOf, signal, env = nixEnvironment() } = running;
  let said = '';
  const onLine = (spoken: string): void => {
    const line = withoutCredentials(spoken);
    log.debug('nix', { line });
    running.onLine?.(line);
    said = lastLines(`${said}\n${line}`, '\n');
  };
  const code = await runHelper({ argv, env, signal, exitOf, onLine });
  signal.throwIfAborted();
  if (code !== 0) throw new NixFailure(`${argv[0]} ended with status ${code}: ${lastLines(said)}`);
}

/** As many paths as one command line may have in any case (execve(2): 128 KiB in all are safe, a path takes at most 256). */
export function* batches(paths: readonly string[], size = 400): Generator<readonly string[]> {
  for (let start = 0; start < paths.length; start += size) yield paths.slice(start, start + size);
}
