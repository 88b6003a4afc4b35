import { readFileSync } from 'node:fs';
import { Exit, errnoOf, InitError, toInitError } from '../errors.ts';
import { beforeNode } from '../linux/before-node.ts';
import { SystemError } from '../linux/libc.ts';
import { signalNumber } from '../linux/signals.ts';
import { withListenPid } from './listen-pid.ts';
import { spawnPrivileged } from './privileged-spawn.ts';
import type { Privileges } from './privileges.ts';

export type MainCommand = {
  argv: readonly string[];
  /** A path, or a descriptor of the directory. */
  cwd: string | number;
  /** Descriptors above 2 that init was given for it. */
  inherited: readonly number[];
  /** The terminal to hand over. */
  terminal: number | undefined;
  privileges: Privileges;
};

/**
 * Starts the user's command in its own process group, in the foreground of the terminal where there is one.
 * @throws {InitError} 127 when it is not found, 126 when it cannot be executed, 77 when it cannot have its privileges.
 */
export function startMainCommand({ argv, privileges, ...rest }: MainCommand): number {
  const raw = rawArguments(argv);
  // Sockets that were passed to init are for the command.
  const passed = process.env['LISTEN_PID'] === String(process.pid);
  const [file = '', ...args] = passed ? withListenPid(raw) : raw;
  const { blocked, ignored: given } = beforeNode;
  // An exit while SIGCHLD is ignored, even for the time of a spawn, would be lost for good (wait(2)).
  const ignored = given.filter((signal) => signal !== signalNumber('SIGCHLD'));
  const request = { file, argv: [file, ...args], fds: [0, 1, 2], blocked, ignored, ...rest };
  try {
    return spawnPrivileged(request, privileges);
  } catch (error) {
    if (error instanceof SystemError && error.syscall === 'posix_spawn')
      throw cannotStart(argv[0] ?? '', error);
    throw toInitError(error, 'run', 'cannot give the main command its privileges');
  }
}

function cannotStart(file: string, cause: unknown): InitError {
  const errno = errnoOf(cause);
  const missing = errno === 'ENOENT' || errno === 'ENOTDIR';
  return new InitError({
    stage: 'run',
    what: missing ? `command not found: ${file}` : `cannot execute ${file}`,
    errno,
    remedy: missing
      ? 'check the name, PATH, and the interpreter that its first line names'
      : 'check its mode, and that it is a program for this machine or starts with #!',
    exitCode: missing ? Exit.notFound : Exit.notExecutable,
    cause,
  });
}

/** Node decodes arguments as UTF-8. Where that lost something, the kernel still has the bytes. */
function rawArguments(argv: readonly string[]): readonly (string | Buffer)[] {
  if (!argv.some((argument) => argument.includes('\uFFFD'))) return argv;
  const bytes = readFileSync('/proc/self/cmdline');
  const raw: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(0, start);
    raw.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return raw.slice(-argv.length);
}
