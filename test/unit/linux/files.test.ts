import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstatSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimes } from '../../../src/linux/files.ts';
import { temporaryDirectory } from '../fixtures.ts';

const times: [string, bigint, bigint][] = [
  ['the epoch', 0n, 1n],
  ['nanoseconds', 1_700_000_000_123_456_789n, 1_600_000_000_999_999_999n],
  ['a whole second before the epoch', -5_000_000_000n, 1n],
];

const mtimes = (path: string): [bigint, bigint] => {
  const { atimeNs, mtimeNs } = lstatSync(path, { bigint: true });
  return [atimeNs, mtimeNs];
};

for (const [name, atime, mtime] of times) {
  test(`times are set exactly: ${name}`, () => {
    using directory = temporaryDirectory();
    const path = `${directory.path}/file`;
    writeFileSync(path, '');
    setTimes(path, atime, mtime);
    assert.deepEqual(mtimes(path), [atime, mtime]);
  });
}

test('a fraction of a second before the epoch', {
  todo: 'a negative remainder is no tv_nsec: EINVAL',
}, () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/file`;
  writeFileSync(path, '');
  execFileSync('touch', ['-d', '1960-01-01 00:00:00.5 UTC', path]);
  const [atime, mtime] = mtimes(path);
  setTimes(path, atime, mtime);
  assert.deepEqual(mtimes(path), [atime, mtime]);
});

test('a symlink gets the times itself', () => {
  using directory = temporaryDirectory();
  writeFileSync(`${directory.path}/file`, '');
  symlinkSync('file', `${directory.path}/link`);
  const before = mtimes(`${directory.path}/file`);
  setTimes(`${directory.path}/link`, 1n, 2n);
  assert.deepEqual(mtimes(`${directory.path}/link`), [1n, 2n]);
  assert.deepEqual(mtimes(`${directory.path}/file`), before);
});

test('a path that is not there fails with its errno', () => {
  assert.throws(() => setTimes('/nonexistent/x', 0n, 0n), {
    code: 'ENOENT',
    syscall: 'utimensat',
    path: '/nonexistent/x',
  });
});
