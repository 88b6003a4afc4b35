import { closeSync, openSync } from 'node:fs';
import { hasErrno } from '../errors.ts';
import { checked, lazily } from './libc.ts';

const fcntl3 = lazily('fcntl', { return: 'int32', arguments: ['int32', 'int32', 'int32'] });

// <fcntl.h>
const F_SETSIG = 10;
const F_SETLEASE = 1024;
const F_RDLCK = 0;
const F_UNLCK = 2;
/** Ignored unless somebody asks for it: who opens the file meanwhile has the kernel tell us, and waits for the answer. */
const SIGURG = 23;

/**
 * Whether anybody has a file open for writing, as those have who hold a lock on it. To try the lock itself would be to take
 * it, and whoever came at that moment would be refused.
 * @throws {SystemError} EACCES where the file is not ours, EINVAL on a file system without leases.
 */
export function isOpenForWriting(path: string): boolean {
  const fd = openSync(path, 'r');
  const set = (command: number, value: number): number =>
    checked('fcntl', () => fcntl3()(fd, command, value), path);
  try {
    set(F_SETSIG, SIGURG);
    set(F_SETLEASE, F_RDLCK);
    set(F_SETLEASE, F_UNLCK);
    return false;
  } catch (error) {
    if (hasErrno(error, 'EAGAIN')) return true;
    throw error;
  } finally {
    closeSync(fd);
  }
}
