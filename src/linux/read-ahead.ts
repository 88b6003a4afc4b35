import { readv } from 'node:fs';

/** All of them the same memory: what is read is wanted in the kernel's, and nowhere else. */
const PIECE_BYTES = 128 * 1024;
/** So many that the event loop need seldom turn for it, so few that who wants it to end hardly waits. */
const PIECES_AT_ONCE = 256;

/**
 * Reads a file through on another thread, so that whoever reads pages of it here and there finds them in memory: by itself the
 * kernel reads ahead only of those that read in order. What cannot be read is for these to complain of.
 * @returns what ends it, before the file is closed.
 */
export function readAhead(fd: number): AsyncDisposable {
  const pieces = Array<Buffer>(PIECES_AT_ONCE).fill(Buffer.allocUnsafeSlow(PIECE_BYTES));
  const readFrom = (position: number): Promise<number> =>
    new Promise((resolve) => {
      readv(fd, pieces, position, (error, bytesRead) => resolve(error === null ? bytesRead : 0));
    });
  let wanted = true;
  const readAll = async (): Promise<void> => {
    let position = 0;
    for (let read = -1; wanted && read !== 0; position += read) read = await readFrom(position);
  };
  const over = readAll();
  return {
    async [Symbol.asyncDispose]() {
      wanted = false;
      await over;
    },
  };
}
