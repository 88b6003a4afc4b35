import { Exit, InitError } from '../../errors.ts';

/** What a process asks the kernel that has a mount namespace of its own to lose. */
export type TrialRequest = {
  /** A directory to lay a tmpfs over. */
  scratch: string;
  /** Where the directories of an overlay can be made; without it that is the tmpfs. */
  layers: string | undefined;
  /** The lower layer; without it an empty directory. */
  lower: string | undefined;
  options: string[];
};

/** What it was answered: null where it worked, an errno, or undefined where it was not asked. */
export type Trial = { mounting: string | null | undefined; overlay: string | null | undefined };

export const notTried: Trial = { mounting: undefined, overlay: undefined };

const TIMEOUT_MS = 10_000;

/**
 * Tries to mount, in a process that is then thrown away with its mounts: our own are not touched. Only our executable can start
 * itself.
 * @throws {InitError} 74 when that process did not come to its end.
 */
export function tryMounting(request: TrialRequest): Trial {
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  if (!process.getBuiltinModule('node:sea').isSea()) return notTried;
  const { stdout, status, signal, error } = spawnSync(
    process.execPath,
    ['doctor', '--', JSON.stringify(request)],
    {
      argv0: 'nix-cache-init',
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: TIMEOUT_MS,
    },
  );
  if (error !== undefined) throw error;
  if (status !== 0) {
    throw new InitError({
      stage: 'check',
      what: `the process that tries mounting ended with ${signal ?? status}`,
      errno: 'ECHILD',
      remedy: 'run it again',
      exitCode: Exit.io,
    });
  }
  return { ...notTried, ...(JSON.parse(stdout) as Partial<Trial>) };
}
