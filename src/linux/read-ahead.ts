import { closeSync, openSync, readv } from 'node:fs';

/** All of them the same memory: what is read is wanted in the kernel's, and nowhere else. */
const PIECE_BYTES = 1024 * 1024;
/** So many that the event loop need seldom turn for it, so few that who wants it to end hardly waits. */
const PIECES_AT_ONCE = 32;

/**
 * Opens a file and reads it through on another thread, so that whoever reads pages of it here and there finds them in memory: by
 * itself the kernel reads ahead only of those that read in order. What cannot be read is for these to complain of.
 * @returns its descriptor, and what ends the reading and closes it.
 */
export function openAhead(path: string): AsyncDisposable & { fd: number } {
  const fd = openSync(path, 'r');
  const pieces = Array<Buffer>(PIECES_AT_ONCE).fill(Buffer.allocUnsafeSlow(PIECE_BYTES));
  const readFrom = (position: number): Promise<number> =>
    new Promise((resolve) => {
      readv(fd, pieces, position, (error, bytesRead) => resolve(error === null ? bytesRead : 0));
    });
  let wanted = true;
  const readAll = async (): Promise<void> => {
    let position = 0;
    let read: number;
    do {
      read = await readFrom(position);
      position += read;
    } while (wanted && read > 0);
  };
  const over = readAll();
  return {
    fd,
    async [Symbol.asyncDispose]() {
      wanted = false;
      await over;
      closeSync(fd);
    },
  };
}
