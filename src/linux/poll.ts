import { uptime } from './clock.ts';
import { checked, lazily } from './libc.ts';

const poll = lazily('poll', { return: 'int32', arguments: ['buffer', 'uint64', 'int32'] });

const events = { read: 0x001, write: 0x004 } as const;
/** `nfds_t` is 64 bits wide, and the call wants all of them. */
const ONE = 1n;

/**
 * Waits until something can be read from a descriptor or written to it, or until there is an error to be had (poll(2)).
 * @param until in milliseconds of `uptime()`.
 * @returns false when nothing came until then.
 */
export function waitFor(what: keyof typeof events, fd: number, until: number): boolean {
  // A `pollfd`.
  const entry = Buffer.alloc(8);
  entry.writeInt32LE(fd, 0);
  entry.writeInt16LE(events[what], 4);
  const left = (): number => Math.max(0, Math.ceil(until - uptime()));
  return checked('poll', () => poll()(entry, ONE, left())) > 0;
}
