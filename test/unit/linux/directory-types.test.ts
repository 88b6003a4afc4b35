import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { givesTypes } from '../../../src/linux/directory-types.ts';
import { temporaryDirectory } from '../fixtures.ts';

// Of a file system that does not: test/integration/doctor.test.ts.
test('the file systems that tests run on say of what type each entry is', () => {
  using directory = temporaryDirectory();
  mkdirSync(`${directory.path}/directory`);
  writeFileSync(`${directory.path}/a file with a rather long name`, '');
  symlinkSync('/nowhere', `${directory.path}/link`);
  assert.equal(givesTypes(directory.path), true);
  assert.equal(givesTypes('/proc/self'), true);
});
