import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { rootPaths } from '../../../../src/state/reconcile/roots.ts';
import { temporaryDirectory } from '../../fixtures.ts';

const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `root-${index}`);

test('a root is an empty file, and what is no root any more goes', () => {
  using directory = temporaryDirectory();
  const roots = `${directory.path}/gcroots/image`;
  rootPaths(roots, ['a', 'b', 'c'])();
  mkdirSync(`${roots}/directory`);
  rootPaths(roots, ['b', 'd', 'e'])();
  assert.deepEqual(readdirSync(roots).sort(), ['b', 'd', 'e']);
  for (const name of readdirSync(roots)) {
    const stat = lstatSync(`${roots}/${name}`);
    assert.ok(stat.isFile() && stat.size === 0, name);
  }
});

test('what is there under the name of a root is left alone, and no root is made after it', () => {
  using directory = temporaryDirectory();
  symlinkSync('/elsewhere', `${directory.path}/a`);
  writeFileSync(`${directory.path}/b`, 'kept');
  rootPaths(directory.path, ['a', 'b', 'c', 'd'])();
  assert.ok(lstatSync(`${directory.path}/a`).isSymbolicLink());
  assert.deepEqual(
    ['b', 'c', 'd'].map((name) => lstatSync(`${directory.path}/${name}`).size),
    [4, 0, 0],
  );
});

test('there can be more roots than a file can have names', () => {
  using directory = temporaryDirectory();
  // ext4 allows 65,000, the least of those that are common; where it is more, this shows only that they are all made.
  rootPaths(directory.path, many(65_002))();
  assert.equal(readdirSync(directory.path).length, 65_002);
});
