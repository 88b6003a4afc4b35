import { parseDuration } from './units.ts';

/** What each field of a service may hold, for the message that refuses anything else. */
export const serviceFields = {
  command: 'a name on PATH or a path',
  args: 'a list of strings',
  user: 'a name, a uid or uid:gid',
  env: 'an object from names to strings',
  restart: 'always, on-failure, never',
  ready: 'an object with exactly one of socket, fd and notify, and at will timeout',
  listen: 'an absolute path of at most 107 bytes',
  stopSignal: 'a signal such as TERM or SIGINT',
} as const;

/** The same for the fields of `ready`. */
export const readyFields = {
  socket: 'an absolute path of at most 107 bytes',
  fd: 'a number from 3 to 99, with listen from 4',
  notify: 'true',
  timeout: 'a time such as 500ms, 8s or 2m',
} as const;

export type Restart = 'always' | 'on-failure' | 'never';

/** How a service says that it can be used. */
export type ReadySpec = {
  socket?: string | undefined;
  fd?: number | undefined;
  notify?: true | undefined;
  timeout?: string | undefined;
};

/** A service as a configuration file says it. */
export type ServiceSpec = {
  command: string;
  args?: string[] | undefined;
  user?: string | undefined;
  env?: Record<string, string> | undefined;
  restart?: Restart | undefined;
  ready?: ReadySpec | undefined;
  listen?: string | undefined;
  stopSignal?: string | undefined;
};

/** The service that the supervisor defines itself. */
export const NIX_DAEMON = 'nix-daemon';

const READY_TIMEOUT_MS = 10_000;

/** How long others wait for a service to be ready, in milliseconds. */
export const readyTimeoutMs = ({ timeout }: ReadySpec): number =>
  (timeout === undefined ? undefined : parseDuration(timeout)) ?? READY_TIMEOUT_MS;

/** The services as they may be shown: an environment is where people put passwords. */
export function withoutSecrets(services: Readonly<Record<string, ServiceSpec>>): Record<string, ServiceSpec> {
  const hidden = ({ env, ...rest }: ServiceSpec): ServiceSpec =>
    env === undefined
      ? rest
      : { ...rest, env: Object.fromEntries(Object.keys(env).map((name) => [name, '…'])) };
  return Object.fromEntries(Object.entries(services).map(([name, service]) => [name, hidden(service)]));
}
