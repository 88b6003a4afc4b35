import { errnoOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Undo } from '../store/undo.ts';
import type { Running } from '../supervise/supervise.ts';
import { openControl } from './control.ts';
import type { BootFacts } from './status.ts';

/**
 * Binds what a running init is seen and steered by, for `undo` to close.
 * @returns what is to be called when the command runs: only then is it served.
 */
export function openSteering(boot: BootFacts, undo: Undo, log: Log): (running: Running) => void {
  const control = openControl(log);
  if (control !== undefined) undo.ending(() => control.close());
  const { 'metrics.listen': metrics } = boot.loaded.config;
  return (running) => {
    control?.serve({ boot, running, since: new Date() });
    if (metrics !== undefined) void offerMetrics(metrics, boot, undo, log);
  };
}

async function offerMetrics(
  listen: string,
  { reaper, loaded }: Pick<BootFacts, 'reaper' | 'loaded'>,
  undo: Undo,
  log: Log,
): Promise<void> {
  try {
    const { serveMetrics } = await import('./metrics-server.ts');
    undo.ending(serveMetrics(listen, { loaded, exitOf: (pid) => reaper.exitOf(pid), log }));
  } catch (error) {
    log.warn(`metrics cannot be served at ${listen}`, { errno: errnoOf(error) });
  }
}
