import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyNames } from '../../../src/config/keys.ts';
import { nearest } from '../../../src/config/nearest.ts';

const slips: [string, string][] = [
  ['stratgy', 'strategy'],
  ['cache_dir', 'cacheDir'],
  ['loglevel', 'log.level'],
  ['daemonEnabled', 'daemon.enabled'],
  ['exitcode', 'exitCodes'],
];

for (const [slip, meant] of slips) {
  test(`${slip} was meant as ${meant}`, () => assert.equal(nearest(slip, keyNames), meant));
}

test('a known word was meant as itself, and of two that are as near the first', () => {
  for (const name of keyNames) assert.equal(nearest(name, keyNames), name);
  assert.equal(nearest('b', ['a', 'c']), 'a');
});

test('where nothing is known nothing was meant', () => assert.equal(nearest('word', []), ''));
