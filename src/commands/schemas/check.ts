import * as z from 'zod/mini';
import { kinds } from '../../state/check/findings.ts';

const paths = z.array(z.string());

const repaired = z.strictObject({
  rescued: z.optional(z.strictObject({ aside: z.string(), registered: paths, lost: paths })),
  swept: paths,
  fetched: paths,
  registered: paths,
  invalidated: paths,
});

/** What `check --json` prints; with `--repair` what was done, too. */
export const checkSchema = z.strictObject({
  looked: z.string(),
  valid: z.int(),
  findings: z.array(z.strictObject({ kind: z.enum(kinds), path: z.string(), detail: z.string() })),
  inStep: z.boolean(),
  garbage: paths,
  waiting: paths,
  notes: paths,
  repaired: z.optional(repaired),
});
