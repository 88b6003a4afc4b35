import * as z from 'zod/mini';

/** What `push --json` prints. */
export const reportSchema = z.strictObject({
  caches: z.array(
    z.strictObject({
      to: z.string(),
      there: z.array(z.string()),
      missing: z.array(z.string()),
      why: z.optional(z.string()),
    }),
  ),
});

export type PushReport = z.output<typeof reportSchema>;

/** The JSON Schema of it (https://json-schema.org/draft/2020-12). */
export const reportJsonSchema = (): object => ({
  title: 'nix-cache-init push',
  ...z.toJSONSchema(reportSchema),
});
