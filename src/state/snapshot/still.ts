import { setTimeout as sleep } from 'node:timers/promises';
import { Exit, hasErrno, InitError } from '../../errors.ts';

const TRIES = 200;
const MOST_PAUSE_MS = 50;

/**
 * Repeats an attempt to copy something that others may be changing, until it stood still meanwhile.
 * @param attempt tells whether it did; what vanished under it (ENOENT) says that it did not.
 * @throws {InitError} 75 when it never does.
 */
export async function untilStill(what: string, attempt: () => Promise<boolean>, most = TRIES): Promise<void> {
  let cause: unknown;
  for (let tries = 0; tries < most; tries += 1) {
    try {
      if (await attempt()) return;
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error;
      cause = error;
    }
    // Whoever writes may do so in a rhythm.
    await sleep(Math.min(tries, MOST_PAUSE_MS));
  }
  throw new InitError({
    stage: 'seed',
    what: `${what} does not stand still for a copy`,
    errno: 'EAGAIN',
    remedy: 'try again when the container that writes to the volume is less busy',
    exitCode: Exit.locked,
    cause,
  });
}
