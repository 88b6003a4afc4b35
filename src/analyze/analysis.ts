import { readFileSync } from 'node:fs';
import { hasErrno, toInitError } from '../errors.ts';
import { describeStep, type Step } from '../store/plan.ts';
import { type Analysis, recordSchema } from './schema.ts';

/**
 * What the boot here spent its time on.
 * @returns undefined where no boot has left a record that this version understands.
 */
export function analyzeBoot(path: string): Analysis | undefined {
  const text = read(path);
  if (text === undefined) return undefined;
  const { success, data } = recordSchema.safeParse(parse(text));
  if (!success) return undefined;
  const { strategy, times } = data;
  const { origin, phases, services } = times;
  const steps = data.steps.map((step, index) => {
    const start = times.steps[index] ?? 0;
    // One that this version does not know has no words for it.
    const what = describeStep(step as unknown as Step) ?? step.do;
    return { do: step.do, what, start, ms: Math.round(step.ms * 1000) / 1000 };
  });
  const last = phases.at(-1);
  const ms = last === undefined ? 0 : Math.round((last.start + last.ms) * 1000) / 1000;
  return { strategy, began: new Date(origin).toISOString(), ms, phases, steps, services };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw toInitError(error, 'analyze', `cannot read ${path}`);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
