import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { Exit, errnoOf, hasErrno, InitError } from '../errors.ts';
import { refuse } from './refuse.ts';

/** More than anybody writes by hand, and read at once. */
const MOST_BYTES = 1024 * 1024;

/**
 * The text of a configuration file. PID 1 must not wait for the other end of a FIFO, nor read /dev/zero to its end.
 * @returns undefined where an optional one is not there.
 * @throws {InitError} 78 for what cannot be read, is no regular file, too large, or not UTF-8.
 */
export function readConfigFile(path: string, { optional }: { optional: boolean }): string | undefined {
  let bytes: Buffer;
  try {
    bytes = readRegular(path);
  } catch (error) {
    if (optional && hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    if (error instanceof InitError) throw error;
    throw unusable(`cannot read ${path}`, errnoOf(error), 'name a readable file with --config', error);
  }
  if (bytes.length > MOST_BYTES)
    throw unusable(`${path} has more than ${MOST_BYTES} bytes`, 'EFBIG', 'make the file smaller');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    // Replaced, as Node would, a byte of a path makes it another path.
    throw unusable(`${path} is not UTF-8`, 'EILSEQ', 'save the file as UTF-8', error);
  }
}

function readRegular(path: string): Buffer {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    // Of a directory read(2) says what it is.
    if (!stat.isFile() && !stat.isDirectory())
      throw refuse(`${path} is not a regular file`, 'name a file with --config');
    // By reading: the size of a file in /proc is 0.
    const bytes = Buffer.allocUnsafe(MOST_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = readSync(fd, bytes, length, bytes.length - length, null);
    return bytes.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}

const unusable = (what: string, errno: string, remedy: string, cause?: unknown): InitError =>
  new InitError({ stage: 'config', what, errno, remedy, exitCode: Exit.config, cause });
