import type { Log } from '../log.ts';

/** Does what goes on beside a command that runs; whatever fails of it, the command is not to end for it. */
export function beginBeside<R>(acts: readonly ((running: R) => void)[], running: R, log: Log): void {
  for (const act of acts) {
    try {
      act(running);
    } catch (error) {
      log.error('something beside the command could not begin', {
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    }
  }
}
