import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shareGrace } from '../../../src/supervise/grace.ts';

// Services, when the others are told, when they are killed, and when each service is, the first one last; of 1000 ms.
const shares: [number, number, number, number[]][] = [
  [0, 600, 900, []],
  [1, 600, 900, [1000]],
  [2, 533, 800, [1000, 900]],
  [3, 467, 700, [1000, 900, 800]],
  [6, 467, 700, [1000, 950, 900, 850, 800, 750]],
];

for (const [services, othersAt, killAt, serviceAt] of shares) {
  test(`the grace with ${services} services`, () => {
    const grace = shareGrace(1000, services);
    assert.deepEqual([grace.othersAt, grace.killAt].map(Math.round), [othersAt, killAt]);
    assert.deepEqual(
      serviceAt.map((_, index) => Math.round(grace.serviceAt(index))),
      serviceAt,
    );
  });
}
