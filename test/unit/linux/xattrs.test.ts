import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasErrno } from '../../../src/errors.ts';
import { hasXattr, removeXattr, setXattr } from '../../../src/linux/xattrs.ts';
import { temporaryDirectory } from '../fixtures.ts';

test('an attribute is there or not, and only that is no error', (t) => {
  using directory = temporaryDirectory();
  const file = join(directory.path, 'file');
  writeFileSync(file, '');
  assert.equal(hasXattr(file, 'user.note'), false);
  try {
    setXattr(file, 'user.note', 'kept');
  } catch (error) {
    if (hasErrno(error, 'ENOTSUP')) return t.skip('the temporary directory has no attributes of users');
    throw error;
  }
  assert.equal(hasXattr(file, 'user.note'), true);
  assert.equal(hasXattr(file, 'user.other'), false);
  removeXattr(file, 'user.note');
  assert.equal(hasXattr(file, 'user.note'), false);
  assert.throws(() => hasXattr(`${file}.gone`, 'user.note'), { code: 'ENOENT', syscall: 'lgetxattr' });
});
