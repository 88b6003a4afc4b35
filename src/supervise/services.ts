import type { Config } from '../config/keys.ts';
import { NIX_DAEMON } from '../config/services.ts';
import type { Log } from '../log.ts';
import { type ListeningService, nixDaemon } from './nix-daemon.ts';
import type { Privileges } from './privileges.ts';
import type { Reaper } from './reaper.ts';
import { Service } from './service.ts';

export type ServicesOptions = {
  config: Config;
  /** What a service with a socket of ours runs, and the socket, by its name. */
  listening: ReadonlyMap<string, ListeningService>;
  /** Where the sockets for sd_notify go. */
  runDir: string;
  privileges: Privileges;
  reaper: Reaper;
  log: Log;
};

/** Everything that runs beside the main command, in the order of starts: nix-daemon, then as configured. */
export async function makeServices(options: ServicesOptions): Promise<Service[]> {
  const { config, listening, runDir, privileges, reaper, log } = options;
  const { services } = config;
  const daemon = listening.get(NIX_DAEMON);
  const definitions = daemon === undefined ? [] : [nixDaemon(daemon, config, log)];
  if (Object.keys(services).length > 0) {
    const { configuredServices } = await import('./configured.ts');
    definitions.push(...configuredServices({ services, listening, runDir, privileges, log }));
  }
  return definitions.map((definition) => new Service(definition, reaper, log));
}
