import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstatSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimes } from '../../../src/linux/times.ts';
import { copyXattrs } from '../../../src/linux/xattrs.ts';
import { temporaryDirectory } from '../fixtures.ts';

const times: [string, bigint, bigint][] = [
  ['the epoch', 0n, 1n],
  ['nanoseconds', 1_700_000_000_123_456_789n, 1_600_000_000_999_999_999n],
  ['a whole second before the epoch', -5_000_000_000n, 1n],
  ['the last nanosecond before the epoch', -1n, -999_999_999n],
  ['fractions of a second before the epoch', -315_619_199_500_000_000n, -1_000_000_001n],
];

const mtimes = (path: string | Buffer): [bigint, bigint] => {
  const { atimeNs, mtimeNs } = lstatSync(path, { bigint: true });
  return [atimeNs, mtimeNs];
};

for (const [name, atime, mtime] of times) {
  test(`times are set exactly: ${name}`, () => {
    using directory = temporaryDirectory();
    const path = `${directory.path}/file`;
    writeFileSync(path, '');
    setTimes(Buffer.from(path), atime, mtime);
    assert.deepEqual(mtimes(path), [atime, mtime]);
  });
}

test('the time before the epoch that touch(1) sets is set again', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/file`;
  writeFileSync(path, '');
  execFileSync('touch', ['-d', '1960-01-01 00:00:00.5 UTC', path]);
  const [atime, mtime] = mtimes(path);
  assert.equal(mtime, -315_619_199_500_000_000n);
  setTimes(Buffer.from(path), 0n, 0n);
  setTimes(Buffer.from(path), atime, mtime);
  assert.deepEqual(mtimes(path), [atime, mtime]);
});

test('a symlink gets the times itself', () => {
  using directory = temporaryDirectory();
  writeFileSync(`${directory.path}/file`, '');
  symlinkSync('file', `${directory.path}/link`);
  const before = mtimes(`${directory.path}/file`);
  setTimes(Buffer.from(`${directory.path}/link`), 1n, 2n);
  assert.deepEqual(mtimes(`${directory.path}/link`), [1n, 2n]);
  assert.deepEqual(mtimes(`${directory.path}/file`), before);
});

test('a name that is no UTF-8 is a name', () => {
  using directory = temporaryDirectory();
  const [odd, twin] = [0xe9, 0xff].map((byte) =>
    Buffer.concat([Buffer.from(`${directory.path}/`), Buffer.from([byte])]),
  );
  assert.ok(odd && twin);
  for (const path of [odd, twin]) writeFileSync(path, '');
  const before = mtimes(twin);
  setTimes(odd, 1n, 2n);
  copyXattrs(odd, twin);
  assert.deepEqual(mtimes(odd), [1n, 2n]);
  assert.deepEqual(mtimes(twin), before);
});

test('a path that is not there fails with its errno', () => {
  assert.throws(() => setTimes(Buffer.from('/nonexistent/x'), 0n, 0n), {
    code: 'ENOENT',
    syscall: 'utimensat',
    path: '/nonexistent/x',
  });
});
