import { getRawPointer } from 'node:ffi';
import { hasErrno } from '../errors.ts';
import { checked, lazily } from './libc.ts';
import { boundSocket } from './socket.ts';

const setsockopt = lazily('setsockopt', {
  return: 'int32',
  arguments: ['int32', 'int32', 'int32', 'buffer', 'uint32'],
});
const recv = lazily('recv', { return: 'int64', arguments: ['int32', 'buffer', 'uint64', 'int32'] });

const SOCK_DGRAM = 2;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_ATTACH_FILTER = 26;
const MSG_DONTWAIT = 0x40;
const BPF_RET = 0x06;
/** Of a `timeval` and of a `sock_fprog` on 64-bit machines. */
const OPTION_BYTES = 16;

/**
 * Binds a Unix datagram socket, which Node has not.
 * @returns its descriptor (close-on-exec).
 * @throws {SystemError} as `listenUnix`.
 */
export function bindUnixDatagram(path: string, mode: number): number {
  return boundSocket(SOCK_DGRAM, path, mode, () => {});
}

/** A read that finds nothing for so many milliseconds fails with EAGAIN (SO_RCVTIMEO in socket(7)). */
export function setReceiveTimeout(fd: number, ms: number): void {
  // Zero would be for ever.
  const whole = Math.max(1, Math.ceil(ms));
  const timeval = Buffer.alloc(OPTION_BYTES);
  timeval.writeBigInt64LE(BigInt(Math.floor(whole / 1000)), 0);
  timeval.writeBigInt64LE(BigInt(whole % 1000) * 1000n, 8);
  setOption(fd, SO_RCVTIMEO, timeval);
}

/**
 * Has the kernel drop whatever comes in, and tell the senders that it arrived: a filter of one instruction, BPF_RET 0
 * (SO_ATTACH_FILTER in socket(7)). What is in the queue already is thrown away.
 */
export function discardDatagrams(fd: number): void {
  // A `sock_fprog`, and the instruction that it points to right behind it, so that the one keeps the other alive.
  const filter = Buffer.alloc(OPTION_BYTES + 8);
  filter.writeUInt16LE(1, 0);
  filter.writeBigUInt64LE(getRawPointer(filter) + BigInt(OPTION_BYTES), 8);
  filter.writeUInt16LE(BPF_RET, OPTION_BYTES);
  setOption(fd, SO_ATTACH_FILTER, filter);
  const room = Buffer.alloc(1);
  while (receivedNow(fd, room));
}

function setOption(fd: number, option: number, value: Buffer): void {
  checked('setsockopt', () => setsockopt()(fd, SOL_SOCKET, option, value, OPTION_BYTES));
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
