import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration, parseSize } from '../../../src/config/units.ts';

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

const sizes: [string, number | undefined][] = [
  ['0', 0],
  ['512', 512],
  ['1K', 1024],
  ['1.5M', 1_572_864],
  ['20G', 21_474_836_480],
  ['2T', 2_199_023_255_552],
  ...['', 'G', '-1G', '+1G', '1 G', '1g', '1GB', '1GiB', '1e3', '1.G', '.5G', '1K\n', '99999999T'].map(
    (text): [string, undefined] => [text, undefined],
  ),
];

for (const [text, bytes] of sizes)
  test(`the size ${JSON.stringify(text)} is ${bytes}`, () => assert.equal(parseSize(text), bytes));
