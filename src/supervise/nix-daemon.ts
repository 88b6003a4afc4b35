import type { Config } from '../config/keys.ts';
import { NIX_DAEMON } from '../config/services.ts';
import type { Log } from '../log.ts';
import { Chatter } from './chatter.ts';
import type { ServiceDefinition } from './service.ts';

/** What a listening socket is for: a program, and how it is started. */
export type ListeningService = {
  command: string;
  socket: number;
  args?: string[];
  env?: Record<string, string | undefined>;
  nixConfig?: string[];
};

/** A service like any other, but that its chatter is for the debug log. */
export function nixDaemon(
  { command, socket, args = [], env = {}, nixConfig = [] }: ListeningService,
  config: Config,
  log: Log,
): ServiceDefinition {
  return {
    name: NIX_DAEMON,
    command,
    args: [...args, ...config['daemon.args']],
    // NIX_REMOTE would make it a client of itself.
    env: { HOME: process.env['HOME'] ?? '/root', NIX_REMOTE: undefined, ...withConfig(nixConfig), ...env },
    restart: 'always',
    stopSignal: 'SIGTERM',
    socket,
    chatter: new Chatter(NIX_DAEMON, log),
  };
}

function withConfig(lines: readonly string[]): Record<string, string> {
  return lines.length === 0 ? {} : { NIX_CONFIG: [process.env['NIX_CONFIG'] ?? '', ...lines].join('\n') };
}
