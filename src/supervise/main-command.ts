import { readFileSync } from 'node:fs';
import { Exit, errnoOf, InitError } from '../errors.ts';
import { spawn } from '../linux/spawn.ts';

export type MainCommand = {
  argv: readonly string[];
  cwd: string;
  /** The terminal to hand over. */
  terminal: number | undefined;
};

/**
 * Starts the user's command in its own process group, in the foreground of the terminal where there is one.
 * @throws {InitError} 127 when it is not found, 126 when it cannot be executed.
 */
export function startMainCommand({ argv, cwd, terminal }: MainCommand): number {
  const [file = ''] = argv;
  try {
    return spawn({ file, argv: rawArguments(argv), cwd, fds: [0, 1, 2], keepInherited: true, terminal });
  } catch (error) {
    const errno = errnoOf(error);
    const missing = errno === 'ENOENT' || errno === 'ENOTDIR';
    throw new InitError({
      stage: 'run',
      what: missing ? `command not found: ${file}` : `cannot execute ${file}`,
      errno,
      remedy: missing
        ? 'check the name, PATH, and the interpreter that its first line names'
        : 'check its mode, and that it is a program for this machine or starts with #!',
      exitCode: missing ? Exit.notFound : Exit.notExecutable,
      cause: error,
    });
  }
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
