import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration } from '../../../src/config/units.ts';

const good: [string, number][] = [
  ['0s', 0],
  ['500ms', 500],
  ['8s', 8000],
  ['1.5s', 1500],
  ['2m', 120_000],
  ['0.5h', 1_800_000],
  ['1d', 86_400_000],
  ['007s', 7000],
];

for (const [text, ms] of good) test(`${text} is ${ms} ms`, () => assert.equal(parseDuration(text), ms));

// A bare number is ambiguous; everything else is a slip of the pen.
const bad = [
  '',
  '8',
  's',
  '-8s',
  '+8s',
  '8 s',
  ' 8s',
  '8s ',
  '8S',
  '8s\n',
  '1e3s',
  '1.s',
  '.5s',
  '1,5s',
  '8min',
  '1h30m',
  'NaNs',
  '8ss',
];

for (const text of bad) {
  test(`${JSON.stringify(text)} is no time`, () => assert.equal(parseDuration(text), undefined));
}
