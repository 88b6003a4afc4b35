import { existsSync } from 'node:fs';
import { errnoOf, hasErrno } from '../../errors.ts';
import { isOpenForWriting } from '../../linux/lease.ts';
import { runLayout } from '../../store/run-layout.ts';
import { volumeLayout } from '../../volume/layout.ts';
import { readHolder } from '../../volume/lock.ts';
import type { LockFacts } from '../lock.ts';

/** What a kernel or a file system answers that does not tell. */
const mute = ['EACCES', 'EPERM', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP'];

/** Looks who has the volume's lock, without taking it. */
export function lookAtLock(cacheDir: string): LockFacts {
  const { lock } = volumeLayout(cacheDir);
  if (!existsSync(lock)) return { state: 'free' };
  try {
    if (!isOpenForWriting(lock)) return { state: 'free' };
    return { state: 'held', by: readHolder(lock), here: isRunningHere() };
  } catch (error) {
    if (!hasErrno(error, ...mute)) throw error;
    return { state: 'unknown', errno: errnoOf(error) };
  }
}

/** Whether an init has mounted something in this very container. */
export function isRunningHere(): boolean {
  try {
    return existsSync(runLayout.claim) && isOpenForWriting(runLayout.claim);
  } catch (error) {
    // Who may not ask is not the one who runs it.
    if (hasErrno(error, ...mute)) return false;
    throw error;
  }
}
