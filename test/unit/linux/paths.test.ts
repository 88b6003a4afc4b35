import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contains } from '../../../src/linux/paths.ts';

const pairs: [string, string, boolean][] = [
  ['/a', '/a', true],
  ['/a', '/a/b', true],
  ['/a/b', '/a', false],
  ['/a', '/ab', false],
  ['/', '/a', true],
  ['/', '/', true],
];

for (const [outer, inner, expected] of pairs) {
  test(`${outer} ${expected ? 'contains' : 'does not contain'} ${inner}`, () =>
    assert.equal(contains(outer, inner), expected));
}
