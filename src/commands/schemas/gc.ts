import * as z from 'zod/mini';

const amount = z.strictObject({ bytes: z.int(), paths: z.int() });

/** What `gc --json` prints. */
export const gcSchema = z.strictObject({
  looked: z.string(),
  dryRun: z.boolean(),
  lastUseFrom: z.enum(['access times', 'registration', 'file times']),
  before: amount,
  after: amount,
  freed: z.int(),
  deleted: z.array(z.strictObject({ path: z.string(), bytes: z.int(), lastUse: z.iso.datetime() })),
  kept: z.array(z.string()),
  maxSize: z.nullable(z.int()),
  under: z.boolean(),
  holders: z.array(z.strictObject({ root: z.string(), path: z.string(), bytes: z.int() })),
});
