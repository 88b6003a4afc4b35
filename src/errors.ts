import { constants } from 'node:os';

/**
 * The one error type that ends a boot. DESIGN §4.3 fixes the exit codes and the shape of the line:
 * `nix-cache-init: <stage>: <what>: <errno name> (<remedy>)`.
 */

/** Exit codes before the main command starts, named as in sysexits.h. */
export const Exit = {
  usage: 64,
  bug: 70,
  io: 74,
  locked: 75,
  privilege: 77,
  config: 78,
  notExecutable: 126,
  notFound: 127,
} as const;

export type ExitCode = (typeof Exit)[keyof typeof Exit];

export type Stage =
  | 'usage'
  | 'config'
  | 'facts'
  | 'lock'
  | 'seed'
  | 'reconcile'
  | 'check'
  | 'export'
  | 'push'
  | 'gc'
  | 'analyze'
  | 'mount'
  | 'daemon'
  | 'service'
  | 'control'
  | 'wait'
  | 'run'
  | 'internal';

/** What went wrong, in the parts of DESIGN §4.3's line. */
export type Failure = {
  stage: Stage;
  what: string;
  errno: string;
  remedy: string;
  exitCode: ExitCode;
  /** Only this strategy cannot work; another may. A missing privilege says so by itself. */
  unfit?: boolean;
  cause?: unknown;
};

export class InitError extends Error {
  override readonly name = 'InitError';
  readonly stage: Stage;
  readonly what: string;
  /** The errno's name (`EPERM`), also where no system call failed: the nearest one that says why. */
  readonly errno: string;
  readonly remedy: string;
  readonly exitCode: ExitCode;
  readonly unfit: boolean;

  constructor({ stage, what, errno, remedy, exitCode, unfit, cause }: Failure) {
    // One line, whatever a parser or a path put into it.
    super(`${stage}: ${what}: ${errno} (${remedy})`.replace(/\s*[\p{Cc}\u2028\u2029]+\s*/gu, ' '), { cause });
    this.stage = stage;
    this.what = what;
    this.errno = errno;
    this.remedy = remedy;
    this.exitCode = exitCode;
    this.unfit = unfit ?? exitCode === Exit.privilege;
  }
}

/** A command line that is wrong: 64. */
export const usageError = (what: string, remedy: string): InitError =>
  new InitError({ stage: 'usage', what, errno: 'EINVAL', remedy, exitCode: Exit.usage });

/** libuv names only the errnos that it uses itself; ECHILD and EDQUOT are not among them. */
export function errnoName(errno: number): string {
  return Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `E${errno}`;
}

/** The errno's name of a failed system call (Node's or ours); undefined for any other error. */
export function systemErrno(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errno } = error as NodeJS.ErrnoException;
  if (typeof code === 'string' && /^E[A-Z0-9]+$/.test(code)) return code;
  // Of one without a name in libuv Node has the number alone, and its negative; -4094 is libuv's own for none.
  return typeof errno === 'number' && errno < 0 && errno > -4094 ? errnoName(-errno) : undefined;
}

/** Whether an error is a failed system call with one of these errnos. */
export function hasErrno(error: unknown, ...names: readonly string[]): boolean {
  return names.includes(systemErrno(error) ?? '');
}

/** Whether a write failed for lack of space. */
export const isDiskFull = (error: unknown): boolean => hasErrno(error, 'ENOSPC', 'EDQUOT');

/** The same for messages, where something has to be said. */
export const errnoOf = (error: unknown): string => systemErrno(error) ?? 'EIO';

/** What most often mends a failed system call. */
export const remedies: Readonly<Record<string, string>> = {
  ENOSPC: 'free space or inodes on the volume, or give it a larger one',
  EDQUOT: 'raise the quota of the volume',
  EROFS: 'mount the volume read-write',
  EIO: 'check the disk under the volume',
  EMFILE: 'raise the limit of open files: docker run --ulimit nofile=…',
  ENOMEM: 'give the container more memory',
  EACCES: 'run as root, and let the security module allow it: --security-opt apparmor=unconfined',
  EPERM: 'run as root with docker run --cap-add SYS_ADMIN',
};

/** What was asked of the system, where `what` does not say it; nothing for an error that does not say it either. */
function placeOf(error: unknown, what: string): string {
  const { syscall, path } = error as NodeJS.ErrnoException;
  return typeof path !== 'string' || what.includes(path) ? '' : `: ${syscall ?? 'at'} ${path}`;
}

/** Wraps what a step threw; an `InitError` stays as it is. */
export function toInitError(error: unknown, stage: Stage, what: string): InitError {
  if (error instanceof InitError) return error;
  const errno = systemErrno(error);
  if (errno === undefined) {
    return new InitError({
      stage: 'internal',
      what: `${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      errno: 'ENOTRECOVERABLE',
      remedy: 'a bug of ours: please report it',
      exitCode: Exit.bug,
      cause: error,
    });
  }
  return new InitError({
    stage,
    what: `${what}${placeOf(error, what)}`,
    errno,
    remedy: remedies[errno] ?? 'see that it is as it should be; if it is, please report this',
    exitCode: errno === 'EPERM' || errno === 'EACCES' ? Exit.privilege : Exit.io,
    cause: error,
  });
}
