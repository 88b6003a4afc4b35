import { closeSync, fsync, fsyncSync, openSync } from 'node:fs';
import { checked, lazily } from './libc.ts';
import { withDescriptor } from './open.ts';

const syncfs = lazily('syncfs', { return: 'int32', arguments: ['int32'] });

/** A name in a directory is durable only once the directory itself is (fsync(2)). */
export function flushDirectory(path: string): void {
  withDescriptor(path, 'r', fsyncSync);
}

/** What was written to an open file is on the disk once this is settled, which waits off the main thread. */
export function flushed(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fsync(fd, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** The same of what is at a path. */
export function flushLater(path: string): Promise<void> {
  const fd = openSync(path, 'r');
  return flushed(fd).finally(() => closeSync(fd));
}

/** Everything written to the file system of `path` is on the disk when it returns. */
export function flushFileSystem(path: string): void {
  withDescriptor(path, 'r', syncFileSystem);
}

/** syncfs(2): everything written to the file system of `fd` is on the disk when it returns. */
function syncFileSystem(fd: number): void {
  checked('syncfs', () => syncfs()(fd));
}
