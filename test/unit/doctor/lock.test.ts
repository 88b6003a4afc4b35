import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lockCheck } from '../../../src/doctor/lock.ts';
import { makeConfig } from '../fixtures.ts';

const config = makeConfig();

test('a volume that mount has left mounted is unmounted, not stopped', () => {
  const by = { name: 'vm (nix-cache-init mount)', host: 'vm', mounted: 'this boot' };
  const { ok, found, remedy } = lockCheck({ state: 'held', by, here: false }, config);
  assert.deepEqual([ok, found], [false, 'held by vm (nix-cache-init mount)']);
  assert.match(remedy ?? '', /^nix-cache-init unmount/);
  assert.equal(lockCheck({ state: 'held', by, here: true }, config).ok, true);
});
