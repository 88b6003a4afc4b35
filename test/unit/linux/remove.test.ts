import assert from 'node:assert/strict';
import { lstatSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { makeDirectories } from '../../../src/linux/directories.ts';
import { removeTree } from '../../../src/linux/remove.ts';
import { temporaryDirectory } from '../fixtures.ts';

test('a tree is removed with all names in it, and nothing that its links lead to', () => {
  using directory = temporaryDirectory();
  const kept = `${directory.path}/kept`;
  const tree = `${directory.path}/tree`;
  writeFileSync(kept, '');
  makeDirectories(`${tree}/a/b`);
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/a/`), Buffer.from([0xff, 0x0a])]), '');
  symlinkSync(kept, `${tree}/a/link`);
  symlinkSync('nowhere', `${tree}/dangling`);
  removeTree(tree);
  removeTree(tree);
  assert.equal(lstatSync(tree, { throwIfNoEntry: false }), undefined);
  assert.ok(lstatSync(kept).isFile());
});

test('what cannot be removed is named', () => {
  assert.throws(() => removeTree('/proc/self'), { code: 'EPERM' });
});
