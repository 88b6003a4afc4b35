import * as z from 'zod/mini';
import { allStrategies } from '../../store/select.ts';
import { stepKinds } from '../../store/steps/explain.ts';

const strategy = z.enum(allStrategies);

/** What would keep a strategy from working here: the line of an error in its parts. */
const why = z.strictObject({
  stage: z.string(),
  what: z.string(),
  errno: z.string(),
  remedy: z.string(),
  exitCode: z.int(),
  unfit: z.optional(z.boolean()),
});

/** What `plan --json` prints; without a strategy where none can work. What a step has beside its kind is its own. */
export const planSchema = z.strictObject({
  strategy: z.optional(strategy),
  steps: z.optional(z.array(z.looseObject({ do: z.enum(stepKinds) }))),
  passedOver: z.array(z.strictObject({ strategy, why })),
});
