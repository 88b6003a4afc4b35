import assert from 'node:assert/strict';
import type { Config } from '../../../src/config/keys.ts';
import type { Facts } from '../../../src/store/facts.ts';
import { overlay } from '../../../src/store/overlay.ts';
import { describeStep, type Step } from '../../../src/store/plan.ts';
import { makeConfig, makeFacts } from '../fixtures.ts';

/** The overlay strategy's own steps, without the daemon's. */
export const overlaySteps = (facts: Partial<Facts> = {}, config: Partial<Config> = {}): Step[] =>
  overlay.plan(makeFacts(facts), makeConfig(config));

export const stepsOf = <D extends Step['do']>(steps: readonly Step[], kind: D) =>
  steps.filter((step): step is Step & { do: D } => step.do === kind);

/** The only step of its kind. */
export function only<D extends Step['do']>(steps: readonly Step[], kind: D): Step & { do: D } {
  const [step, ...more] = stepsOf(steps, kind);
  assert.ok(step, `no step ${kind}`);
  assert.deepEqual(more, []);
  return step;
}

type Part = { [name: string]: unknown };

/** Where the one step with these properties is. */
export function positionOf(steps: readonly Step[], part: Part): number {
  const matches = (step: Part): boolean =>
    Object.entries(part).every(([name, value]) => step[name] === value);
  const found = steps.flatMap((step, index) => (matches(step) ? [index] : []));
  assert.equal(found.length, 1, `${JSON.stringify(part)} matches ${found.length} of\n${describe(steps)}`);
  return found[0] ?? -1;
}

export function assertOrder(steps: readonly Step[], ...parts: Part[]): void {
  const positions = parts.map((part) => positionOf(steps, part));
  for (const [index, position] of positions.entries()) {
    const before = positions[index - 1] ?? -1;
    assert.ok(before < position, `${JSON.stringify(parts[index])} comes too early in\n${describe(steps)}`);
  }
}

const describe = (steps: readonly Step[]): string => steps.map(describeStep).join('\n');
