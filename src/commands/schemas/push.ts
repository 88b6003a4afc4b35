import * as z from 'zod/mini';

/** What `push --json` prints. */
export const pushSchema = z.strictObject({
  caches: z.array(
    z.strictObject({
      to: z.string(),
      there: z.array(z.string()),
      missing: z.array(z.string()),
      why: z.optional(z.string()),
    }),
  ),
});
