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
