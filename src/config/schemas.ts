import * as z from 'zod/mini';
import { parseCacheUri } from './cache-uri.ts';
import { parseListenAddress } from './listen-address.ts';
import { parseLowerStore } from './lower-store.ts';
import { servicesSchema } from './service-schema.ts';
import { nonEmptyText, recordOf, text } from './shapes.ts';
import { parseDuration, parseSize } from './units.ts';

const absolutePath = z.string().check(z.regex(/^\/(?:[^\0]*[^\0/])?$/));
const duration = z.string().check(z.refine((text) => parseDuration(text) !== undefined));
const size = z.string().check(z.refine((text) => parseSize(text) !== undefined));
/** More often would be all the time. */
const LEAST_SCHEDULE_MS = 60_000;
const schedule = z.string().check(z.refine((text) => (parseDuration(text) ?? 0) >= LEAST_SCHEDULE_MS));
const exitCode = z.int().check(z.gte(0), z.lte(255));
const exitCodeText = z.string().check(z.regex(/^(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])$/));

/** What each key of config/keys.ts may hold, as a configuration file says it. */
export const schemas = {
  strategy: z.enum(['auto', 'overlay', 'local-overlay', 'prefix', 'host', 'substituter', 'none']),
  cacheDir: absolutePath,
  storeDir: absolutePath,
  stateDir: absolutePath,
  lowers: z.array(absolutePath).check(z.refine((paths) => new Set(paths).size === paths.length)),
  lowerStore: z.optional(z.string().check(z.refine((uri) => parseLowerStore(uri) !== undefined))),
  access: z.enum(['read-write', 'read-only']),
  onLocked: z.enum(['fail', 'wait', 'read-only']),
  lockTimeout: duration,
  onUnsupported: z.enum(['fallback', 'fail']),
  'daemon.enabled': z.union([z.literal('auto'), z.boolean()]),
  'daemon.command': nonEmptyText,
  'daemon.args': z.array(text),
  services: z.lazy(servicesSchema),
  user: z.optional(z.string().check(z.regex(/^[^:\s\0]+(?::[^:\s\0]+)?$/))),
  capabilities: z.union([z.enum(['auto', 'keep']), z.array(text)]),
  noNewPrivileges: z.boolean(),
  'shutdown.grace': duration,
  exitCodes: recordOf(exitCodeText, exitCode),
  processGroup: z.boolean(),
  'push.to': z
    .array(z.string().check(z.refine((uri) => parseCacheUri(uri) !== undefined)))
    .check(z.refine((uris) => new Set(uris.map((uri) => parseCacheUri(uri)?.identity)).size === uris.length)),
  'gc.maxSize': z.optional(size),
  'gc.schedule': z.optional(schedule),
  'metrics.listen': z.optional(z.string().check(z.refine((text) => parseListenAddress(text) !== undefined))),
  'log.level': z.enum(['silent', 'error', 'warn', 'info', 'debug']),
  'log.format': z.enum(['auto', 'text', 'json']),
};
