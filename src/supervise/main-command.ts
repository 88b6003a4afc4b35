import { readFileSync } from 'node:fs';
import { Exit, errnoOf, InitError } from '../errors.ts';
import { readBeforeNode } from '../linux/before-node.ts';
import { signalNumber } from '../linux/signals.ts';
import { spawn } from '../linux/spawn.ts';
import { withListenPid } from './listen-pid.ts';

export type MainCommand = {
  argv: readonly string[];
  /** A path, or a descriptor of the directory. */
  cwd: string | number;
  /** Descriptors above 2 that init was given for it. */
  inherited: readonly number[];
  /** The terminal to hand over. */
  terminal: number | undefined;
};

/**
 * Starts the user's command in its own process group, in the foreground of the terminal where there is one.
 * @throws {InitError} 127 when it is not found, 126 when it cannot be executed.
 */
export function startMainCommand({ argv, cwd, inherited, terminal }: MainCommand): number {
  const raw = rawArguments(argv);
  // Sockets that were passed to init are for the command.
  const passed = process.env['LISTEN_PID'] === String(process.pid);
  const [file = '', ...args] = passed ? withListenPid(raw) : raw;
  try {
    const { blocked, ignored } = readBeforeNode();
    return spawn({
      file,
      argv: [file, ...args],
      cwd,
      fds: [0, 1, 2],
      inherited,
      blocked,
      // An exit while SIGCHLD is ignored, even for the time of a spawn, would be lost for good (wait(2)).
      ignored: ignored.filter((signal) => signal !== signalNumber('SIGCHLD')),
      terminal,
    });
  } catch (error) {
    throw cannotStart(argv[0] ?? '', error);
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
