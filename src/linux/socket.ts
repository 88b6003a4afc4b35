import { chmodSync, closeSync } from 'node:fs';
import { hasErrno } from '../errors.ts';
import { checked, lazily, SystemError } from './libc.ts';

const socket = lazily('socket', { return: 'int32', arguments: ['int32', 'int32', 'int32'] });
const bind = lazily('bind', { return: 'int32', arguments: ['int32', 'buffer', 'uint32'] });
const listen = lazily('listen', { return: 'int32', arguments: ['int32', 'int32'] });
const connect = lazily('connect', { return: 'int32', arguments: ['int32', 'buffer', 'uint32'] });

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
/** Bytes of `sun_path`, its closing NUL included (unix(7)). */
const SUN_PATH_BYTES = 108;
const ENAMETOOLONG = 36;

/**
 * Binds a listening Unix stream socket without accepting on it: Node's own servers always accept.
 * @returns its descriptor (close-on-exec).
 * @throws {SystemError} EADDRINUSE when the path exists, ENAMETOOLONG beyond 107 bytes.
 */
export function listenUnix(path: string, mode: number, backlog = 4096): number {
  return boundSocket(SOCK_STREAM, path, mode, (fd) => {
    checked('listen', () => listen()(fd, backlog), path);
  });
}

/**
 * A socket bound to a path, after whatever `prepare` does with it (unix(7)).
 * @throws {SystemError} EADDRINUSE when the path exists, ENAMETOOLONG beyond 107 bytes.
 */
export function boundSocket(type: number, path: string, mode: number, prepare: (fd: number) => void): number {
  const address = addressOf(path, 'bind');
  return opened(type, (fd) => {
    checked('bind', () => bind()(fd, address, address.length), path);
    chmodSync(path, mode);
    prepare(fd);
  });
}

/**
 * Connects to a listening Unix stream socket, or fails: it never waits.
 * @returns a descriptor (close-on-exec) whose reads and writes fail with EAGAIN instead of waiting.
 * @throws {SystemError} EAGAIN when too many are waiting to be accepted, ECONNREFUSED when nobody listens.
 */
export function connectUnix(path: string): number {
  const address = addressOf(path, 'connect');
  return opened(SOCK_STREAM | SOCK_NONBLOCK, (fd) => {
    checked('connect', () => connect()(fd, address, address.length), path);
  });
}

/**
 * Whether somebody listens on a Unix stream socket; the connection that it takes to find out is closed at once.
 * @throws {SystemError} EACCES where one may not ask.
 */
export function isListening(path: string): boolean {
  try {
    closeSync(connectUnix(path));
    return true;
  } catch (error) {
    // More are waiting than it takes.
    if (hasErrno(error, 'EAGAIN')) return true;
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ECONNREFUSED')) return false;
    throw error;
  }
}

/** A `sockaddr_un`. @throws {SystemError} ENAMETOOLONG beyond 107 bytes. */
function addressOf(path: string, syscall: string): Buffer {
  const name = Buffer.from(path);
  if (name.length >= SUN_PATH_BYTES) throw new SystemError(ENAMETOOLONG, syscall, path);
  const address = Buffer.alloc(2 + SUN_PATH_BYTES);
  address.writeUInt16LE(AF_UNIX, 0);
  name.copy(address, 2);
  return address;
}

/** A new socket, closed again when what is to be done with it fails. */
function opened(type: number, prepare: (fd: number) => void): number {
  const fd = checked('socket', () => socket()(AF_UNIX, type | SOCK_CLOEXEC, 0));
  try {
    prepare(fd);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
