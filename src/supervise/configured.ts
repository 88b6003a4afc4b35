import type { Config } from '../config/keys.ts';
import type { ServiceSpec } from '../config/services.ts';
import { parseSignal } from '../config/units.ts';
import type { Log } from '../log.ts';
import type { Privileges } from './privileges.ts';
import { openReadiness, type Readiness } from './ready/readiness.ts';
import type { ServiceDefinition } from './service.ts';

export type ConfiguredOptions = {
  services: Config['services'];
  /** The listening sockets by service. */
  listening: ReadonlyMap<string, { socket: number }>;
  /** Where the sockets for sd_notify go. */
  runDir: string;
  privileges: Privileges;
  log: Log;
};

/** The services of the configuration, in its order. */
export function configuredServices({
  services,
  listening,
  runDir,
  privileges,
  log,
}: ConfiguredOptions): ServiceDefinition[] {
  return Object.entries(services).map(([name, spec]) => ({
    name,
    command: spec.command,
    args: spec.args ?? [],
    env: spec.env ?? {},
    person: privileges.services.get(name),
    restart: spec.restart ?? 'always',
    stopSignal: parseSignal(spec.stopSignal ?? 'TERM') ?? 'SIGTERM',
    socket: listening.get(name)?.socket,
    readiness: readinessOf(name, spec, { runDir, privileges, log }),
  }));
}

/** A way of telling that cannot be had is no reason not to start the service. */
function readinessOf(
  name: string,
  { ready }: ServiceSpec,
  { runDir, privileges, log }: Pick<ConfiguredOptions, 'runDir' | 'privileges' | 'log'>,
): Readiness | undefined {
  if (ready === undefined) return undefined;
  try {
    return openReadiness(ready, `${runDir}/notify/${name}`, privileges.services.get(name)?.user.uid);
  } catch (error) {
    log.error(
      `service ${name} cannot tell when it is ready: ${error instanceof Error ? error.message : error}`,
    );
    return undefined;
  }
}
