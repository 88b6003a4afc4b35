import { Exit, errnoOf, InitError } from '../errors.ts';
import { copyCommand } from '../nix/copy.ts';
import { NixFailure } from '../nix/program.ts';
import { cacheUri, secretKey } from './places.ts';

/**
 * The command that adds paths, with all that they refer to, to the binary cache. zstd: level 3 costs less time than writing
 * what it saves (docs/decisions/0013).
 */
export function keepCommand(
  { nix, cache, key }: { nix: string; cache: string; key: string },
  paths: readonly string[],
): [string, ...string[]] {
  const to = `${cacheUri(cache)}?compression=zstd&secret-key=${secretKey(key)}`;
  // Offline: nothing is to be asked of other caches about a path that is here.
  return copyCommand({ nix, from: 'local', to, switches: ['--offline'] }, paths);
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
