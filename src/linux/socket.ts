import { getRawPointer } from 'node:ffi';
import { chmodSync, closeSync } from 'node:fs';
import { hasErrno } from '../errors.ts';
import { checked, lazily, SystemError } from './libc.ts';

const socket = lazily('socket', { return: 'int32', arguments: ['int32', 'int32', 'int32'] });
const bind = lazily('bind', { return: 'int32', arguments: ['int32', 'buffer', 'uint32'] });
const listen = lazily('listen', { return: 'int32', arguments: ['int32', 'int32'] });
const setsockopt = lazily('setsockopt', {
  return: 'int32',
  arguments: ['int32', 'int32', 'int32', 'buffer', 'uint32'],
});
const recv = lazily('recv', { return: 'int64', arguments: ['int32', 'buffer', 'uint64', 'int32'] });

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_ATTACH_FILTER = 26;
const MSG_DONTWAIT = 0x40;
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
 * Binds a Unix datagram socket, which Node has not.
 * @returns its descriptor (close-on-exec).
 * @throws {SystemError} as `listenUnix`.
 */
export function bindUnixDatagram(path: string, mode: number): number {
  return boundSocket(SOCK_DGRAM, path, mode, () => {});
}

function boundSocket(type: number, path: string, mode: number, prepare: (fd: number) => void): number {
  const name = Buffer.from(path);
  if (name.length >= SUN_PATH_BYTES) throw new SystemError(ENAMETOOLONG, 'bind', path);
  const address = Buffer.alloc(2 + SUN_PATH_BYTES);
  address.writeUInt16LE(AF_UNIX, 0);
  name.copy(address, 2);
  const fd = checked('socket', () => socket()(AF_UNIX, type | SOCK_CLOEXEC, 0));
  try {
    checked('bind', () => bind()(fd, address, address.length), path);
    chmodSync(path, mode);
    prepare(fd);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** A read that finds nothing for so many milliseconds fails with EAGAIN (SO_RCVTIMEO in socket(7)). */
export function setReceiveTimeout(fd: number, ms: number): void {
  // Zero would be for ever.
  const whole = Math.max(1, Math.ceil(ms));
  const timeval = Buffer.alloc(16);
  timeval.writeBigInt64LE(BigInt(Math.floor(whole / 1000)), 0);
  timeval.writeBigInt64LE(BigInt(whole % 1000) * 1000n, 8);
  setOption(fd, SO_RCVTIMEO, timeval);
}

/**
 * Has the kernel drop whatever comes in, and tell the senders that it arrived: a filter of one instruction, BPF_RET 0
 * (SO_ATTACH_FILTER in socket(7)). What is in the queue already is thrown away.
 */
export function discardDatagrams(fd: number): void {
  const program = Buffer.alloc(8);
  program.writeUInt16LE(0x06, 0);
  const filter = Buffer.alloc(16);
  filter.writeUInt16LE(1, 0);
  filter.writeBigUInt64LE(getRawPointer(program), 8);
  setOption(fd, SO_ATTACH_FILTER, filter);
  const room = Buffer.alloc(1);
  while (receivedNow(fd, room));
}

function setOption(fd: number, option: number, value: Buffer): void {
  checked('setsockopt', () => setsockopt()(fd, SOL_SOCKET, option, value, value.length));
}

function receivedNow(fd: number, room: Buffer): boolean {
  try {
    checked('recv', () => Number(recv()(fd, room, BigInt(room.length), MSG_DONTWAIT)));
    return true;
  } catch (error) {
    if (hasErrno(error, 'EAGAIN')) return false;
    throw error;
  }
}
