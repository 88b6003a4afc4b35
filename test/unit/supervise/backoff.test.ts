import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs, nextInRow } from '../../../src/supervise/backoff.ts';

// DESIGN §7.12: 0.1 s … 10 s.
const delays: [number, number][] = [
  [1, 100],
  [2, 200],
  [3, 400],
  [7, 6400],
  [8, 10_000],
  [100, 10_000],
  [10_000, 10_000],
];

for (const [crashes, ms] of delays) {
  test(`after ${crashes} crashes in a row: ${ms} ms`, () => assert.equal(backoffMs(crashes), ms));
}

test('what is not a service may wait longer', () => {
  const range = { firstMs: 5000, lastMs: 600_000 };
  const waits = [1, 2, 7, 8, 1000].map((failures) => backoffMs(failures, range));
  assert.deepEqual(waits, [5000, 10_000, 320_000, 600_000, 600_000]);
});

// Thirty seconds of life are not a crash at the start.
const rows: [number, number, number][] = [
  [0, 0, 1],
  [4, 29_999, 5],
  [4, 30_001, 1],
];

for (const [crashes, uptimeMs, expected] of rows) {
  test(`${crashes} crashes in a row and one more after ${uptimeMs} ms: ${expected}`, () =>
    assert.equal(nextInRow(crashes, uptimeMs), expected));
}
