import { existsSync } from 'node:fs';
import { errnoOf, hasErrno } from '../../errors.ts';
import { isOpenForWriting } from '../../linux/lease.ts';
import { bootId } from '../../linux/process.ts';
import { runLayout } from '../../store/run-layout.ts';
import { volumeLayout } from '../../volume/layout.ts';
import { mountHolder, readHolder } from '../../volume/lock.ts';
import type { LockFacts } from '../lock.ts';

/** What a kernel or a file system answers that does not tell. */
const mute = ['EACCES', 'EPERM', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP'];

/** Looks who has the volume's lock, without taking it. */
export function lookAtLock(cacheDir: string): LockFacts {
  const { lock } = volumeLayout(cacheDir);
  if (!existsSync(lock)) return { state: 'free' };
  try {
    const by = isOpenForWriting(lock) ? readHolder(lock) : mountHolder(lock);
    return by === undefined ? { state: 'free' } : { state: 'held', by, here: isRunningHere() };
  } catch (error) {
    if (!hasErrno(error, ...mute)) throw error;
    return { state: 'unknown', errno: errnoOf(error) };
  }
}

/** Whether an init has mounted something in this very container, or `mount` on this machine. */
export function isRunningHere(): boolean {
  const { claim } = runLayout;
  try {
    return existsSync(claim) && (isOpenForWriting(claim) || readHolder(claim).mounted === bootId());
  } catch (error) {
    // Who may not ask is not the one who runs it.
    if (hasErrno(error, ...mute)) return false;
    throw error;
  }
}
