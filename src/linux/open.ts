import { closeSync, openSync } from 'node:fs';

/** Opens a file, does something with it, and closes it whatever comes of that. */
export function withDescriptor(path: string, flags: string, act: (fd: number) => void, mode = 0o644): void {
  const fd = openSync(path, flags, mode);
  try {
    act(fd);
  } finally {
    closeSync(fd);
  }
}
