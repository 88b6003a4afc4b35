import type * as z from 'zod/mini';
import type { schemas } from './schemas.ts';

/** How a key's text in the environment or on the command line becomes the value a JSON file would hold. */
export type Form = 'text' | 'duration' | 'size' | 'boolean' | 'json';

type Schemas = typeof schemas;
export type KeyName = keyof Schemas;

/** A value as a configuration file says it. */
type Said<K extends KeyName> = z.output<Schemas[K]>;

type Key<K extends KeyName> = {
  initial: Said<K>;
  form: Form;
  /** What the key means, one line for `--help`. */
  help: string;
  /** What is allowed, for the message that refuses anything else. */
  allowed: string;
};

const path = 'an absolute path without a trailing slash';
const time = 'a time such as 500ms, 8s or 2m';
const size = 'a size such as 500M, 20G or 1.5T';

/**
 * Every configuration key (DESIGN §4.2), nested ones with a dot. Apart from the schemas: a boot that nobody configured
 * has nothing to validate, and does without loading zod.
 */
export const keys = {
  strategy: {
    initial: 'auto',
    form: 'text',
    help: 'how cached store paths survive a restart',
    allowed: 'auto, overlay, local-overlay, prefix, host, substituter, none',
  },
  cacheDir: { initial: '/nix-cache', form: 'text', help: 'the persistent volume', allowed: path },
  storeDir: { initial: '/nix/store', form: 'text', help: "Nix's store", allowed: path },
  stateDir: { initial: '/nix/var/nix', form: 'text', help: "Nix's state directory", allowed: path },
  lowers: {
    initial: [],
    form: 'json',
    help: "read-only stores below the image's",
    allowed: 'a JSON list of absolute paths, each once, such as ["/lowers/a/store"]',
  },
  lowerStore: {
    initial: undefined,
    form: 'text',
    help: "local-overlay: another Nix daemon's store below",
    allowed: 'a Nix store URI such as unix:///run/snix.sock?real=/snix/store, which names the directory',
  },
  access: {
    initial: 'read-write',
    form: 'text',
    help: 'read-only: share the volume, keep nothing new',
    allowed: 'read-write, read-only',
  },
  onLocked: {
    initial: 'fail',
    form: 'text',
    help: 'what to do when another container has the volume',
    allowed: 'fail, wait, read-only',
  },
  lockTimeout: { initial: '30s', form: 'duration', help: 'how long onLocked=wait waits', allowed: time },
  onUnsupported: {
    initial: 'fallback',
    form: 'text',
    help: 'what to do when the strategy cannot work here',
    allowed: 'fallback, fail',
  },
  'daemon.enabled': {
    initial: 'auto',
    form: 'boolean',
    help: 'start nix-daemon; auto: when it is found, as root',
    allowed: 'auto, true, false',
  },
  'daemon.command': {
    initial: 'nix-daemon',
    form: 'text',
    help: 'the daemon: a name on PATH or a path',
    allowed: 'a command',
  },
  'daemon.args': {
    initial: [],
    form: 'json',
    help: "the daemon's arguments",
    allowed: 'a JSON list of strings',
  },
  services: {
    initial: {},
    form: 'json',
    help: 'what runs beside the command, started in this order',
    allowed:
      'a JSON object from names to {"command": …}; a name is letters, digits, . _ - and not nix-daemon',
  },
  user: {
    initial: undefined,
    form: 'text',
    help: 'run the command as this user',
    allowed: 'NAME, UID, UID:GID or NAME:GROUP',
  },
  capabilities: {
    initial: 'auto',
    form: 'json',
    help: 'auto: the command loses SYS_ADMIN; or which to keep',
    allowed: 'auto, keep, or a JSON list of names such as ["NET_BIND_SERVICE"]',
  },
  noNewPrivileges: {
    initial: false,
    form: 'boolean',
    help: 'no program may gain privileges (setuid, file caps)',
    allowed: 'true, false',
  },
  'shutdown.grace': {
    initial: '8s',
    form: 'duration',
    help: 'for the whole shutdown; less than docker stop --time',
    allowed: time,
  },
  exitCodes: {
    initial: {},
    form: 'json',
    help: "remaps the main command's exit code",
    allowed: 'a JSON object from codes to codes such as {"143": 0}',
  },
  processGroup: {
    initial: true,
    form: 'boolean',
    help: "forward signals to the main command's whole group",
    allowed: 'true, false',
  },
  'push.to': {
    initial: [],
    form: 'json',
    help: 'binary caches that new paths are pushed to',
    allowed:
      'a JSON list of store URIs of Nix, each once: ["https://cache.example"]; file, http, https, s3, ssh, ssh-ng and the like',
  },
  'gc.maxSize': {
    initial: undefined,
    form: 'size',
    help: 'init keeps the cache under this size',
    allowed: size,
  },
  'gc.schedule': {
    initial: undefined,
    form: 'duration',
    help: 'how often init collects garbage, such as 24h',
    allowed: 'a time such as 12h or 7d, at least 1m',
  },
  'metrics.listen': {
    initial: undefined,
    form: 'text',
    help: 'serve metrics (OpenMetrics) there',
    allowed: 'unix:///PATH, tcp://ADDRESS:PORT such as tcp://127.0.0.1:9101',
  },
  'log.level': {
    initial: 'warn',
    form: 'text',
    help: 'how much to say on stderr',
    allowed: 'silent, error, warn, info, debug',
  },
  'log.format': {
    initial: 'auto',
    form: 'text',
    help: 'auto: text on a terminal, JSON lines elsewhere',
    allowed: 'auto, text, json',
  },
} as const satisfies { [K in KeyName]: Key<K> };

/** The effective configuration; times in milliseconds, sizes in bytes. */
export type Config = {
  readonly [K in KeyName]: (typeof keys)[K]['form'] extends 'duration' | 'size' ? Amount<Said<K>> : Said<K>;
};

/** Of a key that may have no value. */
type Amount<T> = undefined extends T ? number | undefined : number;

export const keyNames = Object.keys(keys) as KeyName[];

const words = (name: string): string[] => name.split('.').flatMap((part) => part.split(/(?=[A-Z])/));

/** `daemon.enabled` → `NIX_CACHE_INIT_DAEMON_ENABLED` */
export const envName = (name: string): string => `NIX_CACHE_INIT_${words(name).join('_').toUpperCase()}`;

/** `daemon.enabled` → `daemon-enabled` */
export const flagName = (name: string): string => words(name).join('-').toLowerCase();
