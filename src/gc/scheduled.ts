import type { Config } from '../config/keys.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { ExitOf } from '../linux/helper.ts';
import type { Log } from '../log.ts';
import type { StrategyName } from '../store/plan.ts';
import type { GcSchedule } from './schedule.ts';

export type Scheduled = {
  loaded: LoadedConfig;
  log: Log;
  exitOf: ExitOf;
  strategy: StrategyName;
  access: Config['access'];
};

/** Init's own collections, where they are configured; no other boot loads the code for them. */
export async function gcSchedule({ access, ...request }: Scheduled): Promise<GcSchedule | undefined> {
  const { config } = request.loaded;
  if (config['gc.maxSize'] === undefined && config['gc.schedule'] === undefined) return undefined;
  const { GcSchedule, isScheduled } = await import('./schedule.ts');
  return isScheduled({ ...config, access }, request.strategy) ? new GcSchedule(request) : undefined;
}
