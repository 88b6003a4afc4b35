import { getRawPointer } from 'node:ffi';
import { lazily, SystemError, symbolAddress } from './libc.ts';
import type { SpawnCall } from './spawn.ts';

const pthreadCreate = lazily('pthread_create', {
  return: 'int32',
  arguments: ['buffer', 'pointer', 'pointer', 'buffer'],
});
const awaitSpawn = lazily('nix_cache_init_await_spawn', { return: 'void', arguments: ['buffer'] });

export type Limits = {
  /** Capabilities to take from the bounding set. */
  drop: bigint;
  noNewPrivileges: boolean;
};

// As `struct limited_spawn` in src/native/limited-spawn.c has them.
const SPAWN = 16;
const ARGUMENTS = 24;
const REFUSED = 72;
const NOT_SPAWNED = 80;
const BYTES = 128;

/** What a thread may still look at. */
const kept: unknown[] = [];

/**
 * Makes the call on a thread of its own, which has these limits from then on, as the child has.
 * @returns the errno of posix_spawnp(3), 0 for none.
 * @throws {SystemError} of prctl(2), when the kernel does not set the limits; EAGAIN when there can be no thread.
 */
export function spawnLimited({ drop, noNewPrivileges }: Limits, call: SpawnCall): number {
  const start = symbolAddress('nix_cache_init_limited_spawn');
  const spawn = symbolAddress('posix_spawnp');
  if (start === undefined || spawn === undefined)
    throw new Error('this is not the nix-cache-init that `npm run build` makes');
  const work = Buffer.alloc(BYTES);
  work.writeBigUInt64LE(drop, 0);
  work.writeUInt8(noNewPrivileges ? 1 : 0, 8);
  work.writeBigUInt64LE(spawn, SPAWN);
  for (const [index, argument] of call.entries()) {
    const pointer = typeof argument === 'object' ? getRawPointer(argument) : argument;
    work.writeBigUInt64LE(pointer, ARGUMENTS + index * 8);
  }
  kept.push(call, work);
  const thread = Buffer.alloc(BYTES);
  const failed = pthreadCreate()(thread, 0n, start, work);
  if (failed !== 0) throw new SystemError(failed, 'pthread_create');
  awaitSpawn()(work);
  const refused = work.readInt32LE(REFUSED);
  if (refused !== 0) throw new SystemError(refused, 'prctl');
  return work.readInt32LE(NOT_SPAWNED);
}
