import { errnoOf } from '../errors.ts';
import { becomeSubreaper } from '../linux/process.ts';
import type { Log } from '../log.ts';

/** Not PID 1: orphans come to us all the same, where that is allowed. */
export function adoptOrphans(log: Log): void {
  try {
    becomeSubreaper();
    log.info('not PID 1: reaping as a subreaper', { pid: process.pid });
  } catch (error) {
    log.warn('not PID 1 and not allowed to be a subreaper: orphans go to the real PID 1', {
      errno: errnoOf(error),
    });
  }
}
