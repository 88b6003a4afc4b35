import * as z from 'zod/mini';

const span = { start: z.number(), ms: z.number() };
const phaseName = z.enum([
  'node',
  'program',
  'configuration',
  'facts',
  'refused',
  'strategy',
  'steps',
  'services',
  'command',
]);
const phase = z.strictObject({ name: phaseName, detail: z.optional(z.string()), ...span });
const service = z.strictObject({ name: z.string(), outcome: z.string(), ...span });

/** What `analyze` needs of boot.json; what a step is about is described by the program that made it. */
export const recordSchema = z.object({
  strategy: z.string(),
  steps: z.array(z.looseObject({ do: z.string(), ms: z.number() })),
  times: z.object({
    origin: z.number(),
    phases: z.array(phase),
    steps: z.array(z.number()),
    services: z.array(service),
  }),
});

/** What `analyze --json` prints: milliseconds since `began`. */
export const analysisSchema = z.strictObject({
  strategy: z.string(),
  began: z.iso.datetime(),
  ms: z.number(),
  phases: z.array(phase),
  steps: z.array(z.strictObject({ do: z.string(), what: z.string(), ...span })),
  services: z.array(service),
});

export type Analysis = z.output<typeof analysisSchema>;
