import { chownSync, closeSync, read } from 'node:fs';
import { dirname } from 'node:path';
import { uptime } from '../../linux/clock.ts';
import { bindUnixDatagram, discardDatagrams, setReceiveTimeout } from '../../linux/datagram.ts';
import { makeDirectories } from '../../linux/directories.ts';
import { removeFile } from '../../linux/remove.ts';
import type { Readiness } from './readiness.ts';

/** What sd_notify(3) sends is short; what is longer is cut off. */
const MESSAGE_BYTES = 4096;

/**
 * Ready when READY=1 is sent to NOTIFY_SOCKET (sd_notify(3)). The socket stays, since a service may send for as long as it
 * lives; after `close` the kernel drops it all, without waking anyone and without ever making a sender wait.
 * @throws {SystemError} when the socket cannot be bound.
 */
export function notifyReadiness(path: string, timeoutMs: number, owner?: number): Readiness {
  makeDirectories(dirname(path));
  removeFile(path);
  const fd = bindUnixDatagram(path, 0o600);
  if (owner !== undefined) chownSync(path, owner, -1);
  const ready = Promise.withResolvers<void>();
  const message = Buffer.alloc(MESSAGE_BYTES);
  let closed = false;

  // Node cannot poll a datagram socket. A read in its thread pool is woken by what comes, and by nothing else.
  const next = (until: number): void => {
    setReceiveTimeout(fd, Math.max(0, until - uptime()));
    read(fd, message, 0, message.length, null, (error, bytes) => {
      if (closed || error !== null) return;
      if (message.toString('utf8', 0, bytes).split('\n').includes('READY=1')) ready.resolve();
      else next(until);
    });
  };
  return {
    timeoutMs,
    env: { NOTIFY_SOCKET: path },
    async wait() {
      next(uptime() + timeoutMs);
      await ready.promise;
    },
    close() {
      closed = true;
      discardDatagrams(fd);
    },
    release() {
      closeSync(fd);
      removeFile(path);
    },
  };
}
