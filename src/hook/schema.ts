import * as z from 'zod/mini';

/** What `unmount --json` prints. */
export const unmountSchema = z.strictObject({
  unmounted: z.array(z.string()),
  users: z.array(z.strictObject({ pid: z.nullable(z.number()), name: z.string(), path: z.string() })),
});

/** What `service --json` prints. */
export const serviceSchema = z.strictObject({ changed: z.array(z.string()), next: z.array(z.string()) });
