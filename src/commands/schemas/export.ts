import * as z from 'zod/mini';

/** What `export --json` prints. */
export const exportSchema = z.strictObject({ to: z.string(), paths: z.array(z.string()), bytes: z.int() });
