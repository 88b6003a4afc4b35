import * as z from 'zod/mini';

/** What `restart --json` prints. */
export const restartSchema = z.strictObject({ service: z.string(), pid: z.int() });
