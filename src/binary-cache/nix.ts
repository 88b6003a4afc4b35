import { Exit, errnoOf, InitError } from '../errors.ts';
import { type ExitOf, type HelperRequest, runHelper } from '../linux/helper.ts';
import type { Log } from '../log.ts';
import { cacheUri, secretKey } from './places.ts';

/** What running a program of Nix takes. */
export type Running = { log: Log; exitOf: ExitOf; signal: AbortSignal };

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
export async function runNix(argv: HelperRequest['argv'], { log, exitOf, signal }: Running): Promise<void> {
  let said = '';
  const onLine = (line: string): void => {
    log.debug('nix', { line });
    said = lastLines(`${said}\n${line}`, '\n');
  };
  const code = await runHelper({ argv, env: nixEnvironment(), signal, exitOf, onLine });
  signal.throwIfAborted();
  if (code !== 0) throw new NixFailure(`${argv[0]} ended with status ${code}: ${lastLines(said)}`);
}

/**
 * The command that adds paths, with all that they refer to, to the binary cache. zstd: level 3 costs less time than writing
 * what it saves (docs/decisions/0013).
 */
export function copyCommand(
  { nix, cache, key }: { nix: string; cache: string; key: string },
  paths: readonly string[],
): [string, ...string[]] {
  const to = `${cacheUri(cache)}?compression=zstd&secret-key=${secretKey(key)}`;
  // Offline: nothing is to be asked of other caches about a path that is here.
  const features = ['--extra-experimental-features', 'nix-command', '--offline'];
  return [nix, ...features, 'copy', '--store', 'local', '--to', to, ...paths];
}

/** As many paths as one command line may have in any case (execve(2): 128 KiB in all are safe, a path takes at most 256). */
export function* batches(paths: readonly string[], size = 400): Generator<readonly string[]> {
  for (let start = 0; start < paths.length; start += size) yield paths.slice(start, start + size);
}

/** The error that ends a boot for a program of Nix that failed, or could not be started. */
export function nixError(what: string, error: unknown): InitError {
  if (error instanceof InitError) return error;
  return new InitError({
    stage: 'seed',
    what: `${what}: ${error instanceof Error ? error.message : String(error)}`,
    errno: error instanceof NixFailure ? 'EIO' : errnoOf(error),
    remedy: 'see the log at --log-level debug',
    exitCode: Exit.io,
    cause: error,
  });
}
