import { closeOnExecPipe } from './descriptors.ts';

export type Lines = {
  /** A descriptor to write to; the caller's to close. */
  write: number;
  /** Resolves when nobody can write to it any more. */
  over: Promise<void>;
};

/** A pipe for what a child says, and what to do with each line of it. */
export function readLines(onLine: (line: string) => void): Lines {
  const { read, write } = closeOnExecPipe();
  return { write, over: readLinesOf(read, onLine) };
}

/**
 * Reads a pipe to its end, line by line.
 * @param read a descriptor, closed at the end.
 * @returns resolves then.
 */
export function readLinesOf(read: number, onLine: (line: string) => void): Promise<void> {
  // Node's network stack: not at its own cost on the boot path.
  const { Socket } = process.getBuiltinModule('node:net');
  const { createInterface } = process.getBuiltinModule('node:readline');
  const input = new Socket({ fd: read, readable: true, writable: false });
  const reader = createInterface({ input });
  reader.on('line', onLine);
  return new Promise((resolve) => reader.on('close', () => resolve()));
}
