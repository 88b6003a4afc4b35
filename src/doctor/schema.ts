import * as z from 'zod/mini';

/** What `doctor --json` prints. */
export const reportSchema = z.strictObject({
  checks: z.array(
    z.strictObject({
      check: z.string(),
      found: z.string(),
      needed: z.string(),
      ok: z.boolean(),
      remedy: z.optional(z.string()),
    }),
  ),
  strategies: z.array(
    z.strictObject({ name: z.string(), possible: z.boolean(), why: z.optional(z.string()) }),
  ),
  chosen: z.nullable(z.string()),
});
