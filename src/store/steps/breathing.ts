import { setImmediate as turn } from 'node:timers/promises';
import { uptime } from '../../linux/clock.ts';
import type { Log } from '../../log.ts';
import { showProgress } from '../progress.ts';

/** How long a step may keep the event loop from turning, in milliseconds. */
const BREATH_MS = 10;

/**
 * For a step that takes long: to be called often, it lets a signal be noticed and shows how far the step is.
 * @param what the step does, for people.
 */
export function breathing(what: string, log: Log, signal: AbortSignal) {
  const progress = showProgress(what, log);
  let last = uptime();
  return {
    async breathe(done = 0, total = 0): Promise<void> {
      if (uptime() - last < BREATH_MS) return;
      await turn();
      signal.throwIfAborted();
      if (total > 0) progress.update(done, total);
      last = uptime();
    },
    end: () => progress.end(),
  };
}
