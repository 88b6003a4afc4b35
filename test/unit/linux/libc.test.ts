import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SystemError } from '../../../src/linux/libc.ts';

// Two names share 11 and 95 on Linux; the callers compare with these.
const names: [number, string][] = [
  [1, 'EPERM'],
  [10, 'ECHILD'],
  [11, 'EAGAIN'],
  [13, 'EACCES'],
  [16, 'EBUSY'],
  [28, 'ENOSPC'],
  [95, 'ENOTSUP'],
  [122, 'EDQUOT'],
  [999, 'E999'],
];

for (const [errno, code] of names) {
  test(`errno ${errno} is ${code}`, () => {
    const error = new SystemError(errno, 'mount', '/nix/store');
    assert.equal(error.code, code);
    assert.equal(error.errno, errno);
    assert.equal(error.message, `${code}: mount '/nix/store'`);
  });
}

test('without a path the message has none', () =>
  assert.equal(new SystemError(1, 'prctl').message, 'EPERM: prctl'));
