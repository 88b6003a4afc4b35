import * as z from 'zod/mini';

const count = z.int().check(z.gte(0));
const time = z.iso.datetime();

const service = z.strictObject({
  name: z.string(),
  /** `waiting`: for its next start, after a crash; `ended`: for good. */
  state: z.enum(['running', 'waiting', 'ended']),
  pid: z.nullable(count),
  /** Of its last start. */
  since: z.nullable(time),
  restarts: count,
});

const warning = z.strictObject({ time, level: z.enum(['warn', 'error']), message: z.string() });

/** What a running init knows of itself. */
export const initStatusSchema = z.strictObject({
  version: z.string(),
  pid: count,
  state: z.enum(['running', 'stopping']),
  /** When the command was started. */
  since: time,
  strategy: z.strictObject({
    name: z.string(),
    asked: z.string(),
    /** Why those before it were not taken. */
    passedOver: z.array(z.string()),
  }),
  access: z.enum(['read-write', 'read-only']),
  places: z.strictObject({
    cacheDir: z.string(),
    storeDir: z.string(),
    stateDir: z.string(),
    /** Where a nix-daemon answers, or is to. */
    socket: z.nullable(z.string()),
  }),
  /** Of the overlay at the store; the uppermost lower first. */
  layers: z.nullable(z.strictObject({ upper: z.string(), lowers: z.array(z.string()) })),
  /** What this boot did about an image that had changed; null: it had not. */
  reconciled: z.nullable(
    z.strictObject({ learnt: count, forgotten: count, superseded: count, whiteouts: count }),
  ),
  command: z.nullable(z.strictObject({ name: z.string(), pid: count })),
  services: z.array(service),
  /** Processes whose end init took note of, orphans among them. */
  reaped: count,
  warnings: z.array(warning),
});

export type InitStatus = z.output<typeof initStatusSchema>;
