import { closeSync, openSync } from 'node:fs';

/** Opens a file, does something with it, and closes it whatever comes of that. */
export function withDescriptor(path: string, flags: string, act: (fd: number) => void): void {
  const fd = openSync(path, flags, 0o644);
  try {
    act(fd);
  } finally {
    closeSync(fd);
  }
}
