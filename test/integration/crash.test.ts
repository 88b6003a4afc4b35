import assert from 'node:assert/strict';
import { scenarios } from '../crash/scenarios.ts';
import { blows } from '../crash/strike.ts';
import { evenly, type Swept, sweepAll } from '../crash/sweep.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';

// A sample: `npm run crash` is all of it.

namespaceTest('killed at a call of a boot or a shutdown, init loses nothing', async () => {
  const swept: Swept[] = [];
  const sweeps = scenarios.map((scenario) => ({ scenario, blow: 'KILL' }) as const);
  await sweepAll(sweeps, evenly(5), (one) => swept.push(one));
  assertHarmless(swept, scenarios.length);
});

namespaceTest(
  'where the disk refuses a call, init says so or does without it, and loses nothing',
  async () => {
    const swept: Swept[] = [];
    const booting = scenarios.filter(({ work }) => work === undefined);
    const errnos = blows.filter((blow) => blow !== 'KILL');
    const sweeps = booting.flatMap((scenario) => errnos.map((blow) => ({ scenario, blow })));
    await sweepAll(sweeps, evenly(2), (one) => swept.push(one));
    assertHarmless(swept, sweeps.length);
  },
);

function assertHarmless(all: readonly Swept[], expected: number): void {
  assert.equal(all.length, expected);
  for (const { scenario, blow, points, lost, wrong, unmet } of all) {
    const where = `${blow} ${scenario.name}`;
    assert.deepEqual({ lost, wrong, unmet }, { lost: [], wrong: [], unmet: [] }, where);
    assert.notEqual(points.size, 0, where);
  }
}
