import { Exit, errnoOf, InitError } from '../errors.ts';
import { inheritedDescriptors, openWorkingDirectory } from '../linux/descriptors.ts';

/**
 * What init was given for the command besides the standard descriptors.
 * @throws {InitError} when there is no /proc, which everything after this needs too.
 */
export function descriptorsForCommand(): number[] {
  try {
    return inheritedDescriptors();
  } catch (error) {
    throw new InitError({
      stage: 'facts',
      what: 'cannot look at /proc',
      errno: errnoOf(error),
      remedy: 'mount it: mount -t proc proc /proc',
      exitCode: Exit.io,
      cause: error,
    });
  }
}

/** init must not keep a directory busy that a mount lies on; the main command gets it back. */
export function leaveWorkingDirectory(): string | number {
  const cwd = workingDirectory();
  process.chdir('/');
  return cwd;
}

/** Its path where that is known: after the boot the same path may lead to an overlay. Else the directory itself. */
function workingDirectory(): string | number {
  try {
    const path = process.cwd();
    return path.includes('\uFFFD') ? openWorkingDirectory() : path;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return openWorkingDirectory();
    throw error;
  }
}
