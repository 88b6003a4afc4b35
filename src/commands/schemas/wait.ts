import * as z from 'zod/mini';

/** What `wait --json` prints; without a daemon where there is none. */
export const waitSchema = z.strictObject({
  strategy: z.string(),
  passedOver: z.array(z.string()),
  daemon: z.optional(z.nullable(z.strictObject({ nix: z.optional(z.nullable(z.string())) }))),
});
