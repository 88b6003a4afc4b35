import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeUsers } from '../../../src/hook/users.ts';

const user = (pid: number | null) => ({ pid, name: 'sh', path: '/nix/store/x' });

test('each user in a phrase, a mount without a process', () => {
  assert.equal(describeUsers([user(7), user(null)]), 'sh (PID 7, /nix/store/x), sh (/nix/store/x)');
});

test('of many only some', () => {
  const text = describeUsers(Array.from({ length: 30 }, (_, pid) => user(pid + 1)));
  assert.match(text, /^(sh \(PID \d+, \/nix\/store\/x\), ){4}26 more$/);
});
