import * as z from 'zod/mini';
import { NIX_DAEMON, type ServiceSpec } from './services.ts';
import { nonEmptyText, recordOf, text } from './shapes.ts';
import { parseDuration, parseSignal } from './units.ts';

/** Bytes of `sun_path` without its closing NUL (unix(7)). */
const SOCKET_PATH_BYTES = 107;

/** Made when there are services to validate: making it takes longer than all other schemas together. */
export function servicesSchema() {
  const socketPath = z.string().check(
    z.regex(/^\/[^\0]*[^\0/]$/),
    z.refine((path) => Buffer.byteLength(path) <= SOCKET_PATH_BYTES),
  );

  const ready = z
    .strictObject({
      socket: z.optional(socketPath),
      fd: z.optional(z.int().check(z.gte(3), z.lte(99))),
      notify: z.optional(z.literal(true)),
      timeout: z.optional(z.string().check(z.refine((time) => parseDuration(time) !== undefined))),
    })
    .check(
      z.refine(
        ({ socket, fd, notify }) => [socket, fd, notify].filter((one) => one !== undefined).length === 1,
      ),
    );

  const service = z
    .strictObject({
      command: nonEmptyText,
      args: z.optional(z.array(text)),
      user: z.optional(nonEmptyText),
      env: z.optional(recordOf(z.string().check(z.regex(/^[^\0=]+$/)), text)),
      restart: z.optional(z.enum(['always', 'on-failure', 'never'])),
      ready: z.optional(ready),
      listen: z.optional(socketPath),
      stopSignal: z.optional(z.string().check(z.refine((name) => parseSignal(name) !== undefined))),
    } satisfies Record<keyof ServiceSpec, z.ZodMiniType>)
    .check(
      // The socket is descriptor 3 (sd_listen_fds(3)).
      z.refine(({ listen, ready }) => listen === undefined || ready?.fd !== 3, { path: ['ready', 'fd'] }),
    );

  // Beginning with a letter: JavaScript would put a name that is a number before all others.
  const name = z.string().check(
    z.regex(/^[A-Za-z][\w.-]*$/),
    z.refine((name) => name !== NIX_DAEMON),
  );

  return recordOf(name, service);
}
