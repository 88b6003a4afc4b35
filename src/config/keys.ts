import * as z from 'zod/mini';
import { parseDuration } from './units.ts';

/** How a key's text in the environment or on the command line becomes the value a JSON file would hold. */
export type TextForm = 'text' | 'boolean' | 'json';

type Key<S extends z.ZodMiniType = z.ZodMiniType> = {
  schema: S;
  /** As a configuration file would say it; undefined: not set. */
  initial: z.input<S> | undefined;
  form: TextForm;
  /** What the key means, one line for `--help`. */
  help: string;
  /** What is allowed, for the message that refuses anything else. */
  allowed: string;
};

const key = <S extends z.ZodMiniType>(
  schema: S,
  initial: z.input<S> | undefined,
  help: string,
  allowed: string,
  form: TextForm = 'text',
): Key<S> => ({ schema, initial, form, help, allowed });

const choice = <const T extends readonly [string, ...string[]]>(
  values: T,
  initial: T[number],
  help: string,
) => key(z.enum(values), initial, help, values.join(', '));

const absolutePath = (initial: string, help: string) =>
  key(
    z.string().check(z.regex(/^\/(?:[^\0]*[^\0/])?$/)),
    initial,
    help,
    'an absolute path without a trailing slash',
  );

const duration = (initial: string, help: string) =>
  key(
    z.pipe(
      z.string().check(z.refine((text) => parseDuration(text) !== undefined)),
      z.transform((text: string) => parseDuration(text) ?? 0),
    ),
    initial,
    help,
    'a time such as 500ms, 8s or 2m',
  );

const exitCode = z.int().check(z.gte(0), z.lte(255));

/** Every configuration key (DESIGN §4.2), nested ones with a dot. One table: parsing, help and JSON Schema come from it. */
export const keys = {
  strategy: choice(['auto', 'overlay', 'none'], 'auto', 'how cached store paths survive a restart'),
  cacheDir: absolutePath('/nix-cache', 'the persistent volume'),
  storeDir: absolutePath('/nix/store', "Nix's store"),
  stateDir: absolutePath('/nix/var/nix', "Nix's state directory"),
  onLocked: choice(['fail', 'wait'], 'fail', 'what to do when another container has the volume'),
  lockTimeout: duration('30s', 'how long onLocked=wait waits'),
  onUnsupported: choice(['fallback', 'fail'], 'fallback', 'what to do when the strategy cannot work here'),
  'daemon.enabled': key(
    z.union([z.literal('auto'), z.boolean()]),
    'auto',
    'start nix-daemon; auto: when it is found, as root',
    'auto, true, false',
    'boolean',
  ),
  'daemon.command': key(
    z.string().check(z.minLength(1)),
    'nix-daemon',
    'the daemon: a name on PATH or a path',
    'a command',
  ),
  'daemon.args': key(z.array(z.string()), [], "the daemon's arguments", 'a JSON list of strings', 'json'),
  'shutdown.grace': duration('8s', 'for the whole shutdown; keep it inside docker stop --time'),
  exitCodes: key(
    z.record(z.string().check(z.regex(/^(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])$/)), exitCode),
    {},
    "remaps the main command's exit code",
    'a JSON object from codes to codes such as {"143": 0}',
    'json',
  ),
  processGroup: key(
    z.boolean(),
    true,
    "forward signals to the main command's whole group",
    'true, false',
    'boolean',
  ),
  'log.level': choice(['silent', 'error', 'warn', 'info', 'debug'], 'warn', 'how much to say on stderr'),
  'log.format': choice(['auto', 'text', 'json'], 'auto', 'auto: text on a terminal, JSON lines elsewhere'),
} as const satisfies Record<string, Key>;

export type KeyName = keyof typeof keys;

/** The effective configuration, every value validated; times in milliseconds. */
export type Config = { readonly [K in KeyName]: z.output<(typeof keys)[K]['schema']> };

export const keyNames = Object.keys(keys) as KeyName[];

const words = (name: string): string[] => name.split('.').flatMap((part) => part.split(/(?=[A-Z])/));

/** `daemon.enabled` → `NIX_CACHE_INIT_DAEMON_ENABLED` */
export const envName = (name: string): string => `NIX_CACHE_INIT_${words(name).join('_').toUpperCase()}`;

/** `daemon.enabled` → `daemon-enabled` */
export const flagName = (name: string): string => words(name).join('-').toLowerCase();
