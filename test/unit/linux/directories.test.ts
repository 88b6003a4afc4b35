import assert from 'node:assert/strict';
import { lstatSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { makeDirectories } from '../../../src/linux/directories.ts';
import { temporaryDirectory } from '../fixtures.ts';

test('directories are made with their parents, and found where they are', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/a/b/c`;
  makeDirectories(path, 0o700);
  makeDirectories(path, 0o755);
  assert.equal(lstatSync(path).mode & 0o777, 0o700);
});

test('what is in the way of a directory is named', () => {
  using directory = temporaryDirectory();
  writeFileSync(`${directory.path}/file`, '');
  assert.throws(() => makeDirectories(`${directory.path}/file`), { code: 'EEXIST' });
  assert.throws(() => makeDirectories(`${directory.path}/file/below`), { code: 'ENOTDIR' });
  assert.throws(() => makeDirectories('/proc/of/nobody'), { code: 'ENOENT' });
});
