import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAnalysis } from '../../../src/analyze/text.ts';
import { makeAnalysis } from './cases.ts';

test('a bar for each row, from where it begins to where it ends', () => {
  const half = '█'.repeat(15);
  assert.equal(
    formatAnalysis(makeAnalysis('create it')),
    `   at ms   took ms                                  boot of 2026-01-02T03:04:05.678Z
    0.00      5.00  ${half.padEnd(30)}  Node starts
    5.00      4.90  ${half.padStart(30)}  steps
    5.00      0.01  ${' '.repeat(15)}▏${' '.repeat(14)}    create it
    9.90      0.10  ${'▏'.padStart(30)}  the command is started
             10.00                                  from the start of Node to the command, with strategy overlay
`,
  );
});

test('a boot that took no time at all has its rows all the same', () => {
  const still = { ...makeAnalysis('x'), ms: 0, phases: [{ name: 'node' as const, start: 0, ms: 0 }] };
  assert.match(formatAnalysis(still), /^ +0\.00 +0\.00 {2}▏ +Node starts$/m);
});
