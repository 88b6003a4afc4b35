import { checked, lazily } from './libc.ts';

const getsockopt = lazily('getsockopt', {
  return: 'int32',
  arguments: ['int32', 'int32', 'int32', 'buffer', 'buffer'],
});

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** Of a `ucred`. */
const UCRED_BYTES = 12;

/** Who is at the other end of a Unix socket, as of its connect(2) (SO_PEERCRED in unix(7)). */
export type Peer = { pid: number; uid: number; gid: number };

/** @throws {SystemError} ENOTSOCK, ENOPROTOOPT for what is no Unix socket. */
export function peerOf(fd: number): Peer {
  const ucred = Buffer.alloc(UCRED_BYTES);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(UCRED_BYTES);
  checked('getsockopt', () => getsockopt()(fd, SOL_SOCKET, SO_PEERCRED, ucred, length));
  return { pid: ucred.readInt32LE(0), uid: ucred.readUInt32LE(4), gid: ucred.readUInt32LE(8) };
}
