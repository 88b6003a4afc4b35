import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs } from '../../../src/supervise/daemon.ts';

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
