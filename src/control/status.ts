import packageJson from '../../package.json' with { type: 'json' };
import type { Config } from '../config/keys.ts';
import type { LoadedConfig } from '../config/load.ts';
import { NIX_DAEMON } from '../config/services.ts';
import type { Journal } from '../journal.ts';
import type { Plan } from '../store/plan.ts';
import type { Reaper } from '../supervise/reaper.ts';
import type { Service } from '../supervise/service.ts';
import type { Running } from '../supervise/supervise.ts';
import type { InitStatus } from './status-schema.ts';

/** What is known when the command runs. */
export type BootFacts = {
  loaded: LoadedConfig;
  /** As it came to be: a volume that is locked may be read instead. */
  access: Config['access'];
  plan: Plan;
  /** Why the strategies before it were not taken. */
  passedOver: readonly string[];
  reconciled: InitStatus['reconciled'];
  /** A nix-daemon's that is not ours. */
  socket: string | undefined;
  command: readonly string[];
  reaper: Pick<Reaper, 'reaped' | 'exitOf'>;
  journal: Journal;
};

/** What a running init tells of itself. */
export function initStatus(boot: BootFacts, running: Running, since: Date): InitStatus {
  const {
    loaded: { config },
    access,
    plan,
    passedOver,
    reconciled,
    command,
    reaper,
    journal,
  } = boot;
  const { cacheDir, storeDir, stateDir } = config;
  const overlay = plan.steps.find((step) => step.do === 'overlay' && step.target === storeDir);
  const [program = ''] = command;
  return {
    version: packageJson.version,
    pid: process.pid,
    state: running.stopping() ? 'stopping' : 'running',
    since: since.toISOString(),
    strategy: { name: plan.strategy, asked: config.strategy, passedOver: [...passedOver] },
    access,
    places: { cacheDir, storeDir, stateDir, socket: daemonSocket(boot) },
    layers: overlay?.do === 'overlay' ? { upper: overlay.upper, lowers: overlay.lower } : null,
    reconciled,
    // Its arguments are its own, and may be secrets.
    command: running.main === undefined ? null : { name: program, pid: running.main },
    services: running.services.map(shown),
    reaped: reaper.reaped,
    warnings: journal.entries.flatMap(({ time, level, message }) =>
      level === 'warn' || level === 'error' ? [{ time: new Date(time).toISOString(), level, message }] : [],
    ),
  };
}

function daemonSocket({ plan, socket }: Pick<BootFacts, 'plan' | 'socket'>): string | null {
  const ours = plan.steps.find((step) => step.do === 'listen' && step.service === NIX_DAEMON);
  if (ours?.do === 'listen') return ours.socket;
  return plan.strategy === 'host' ? (socket ?? null) : null;
}

const shown = ({ definition, state, pid, since, restarts }: Service): InitStatus['services'][number] => ({
  name: definition.name,
  state,
  pid: pid ?? null,
  since: since === undefined ? null : new Date(since).toISOString(),
  restarts,
});
