import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { makeDirectory } from '../../../../src/store/steps/make-directory.ts';
import { temporaryDirectory } from '../../fixtures.ts';

const modeOf = (path: string): number => statSync(path).mode & 0o7777;
const root = process.geteuid?.() === 0;

test('a directory is made with its parents', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/a/b/c`;
  makeDirectory({ do: 'mkdir', path, mode: 0o700 });
  assert.equal(modeOf(path), 0o700);
});

test('one that is there stays as it is', () => {
  using directory = temporaryDirectory();
  const [path, like] = [`${directory.path}/a`, `${directory.path}/model`];
  for (const name of [path, like]) mkdirSync(name);
  writeFileSync(`${path}/file`, '');
  chmodSync(path, 0o750);
  chmodSync(like, 0o1775);
  makeDirectory({ do: 'mkdir', path, mode: 0o700 });
  makeDirectory({ do: 'mkdir', path, mode: 0o700, like });
  assert.equal(modeOf(path), 0o750);
  assert.ok(existsSync(`${path}/file`));
});

// The store of a multi-user Nix is 1775 root:nixbld; the overlay shows what the upper directory has.
test('a new one takes the mode of its model, whatever the umask and the mode say', () => {
  using directory = temporaryDirectory();
  const [path, like] = [`${directory.path}/a/upper`, `${directory.path}/model`];
  mkdirSync(like);
  chmodSync(like, 0o1775);
  makeDirectory({ do: 'mkdir', path, mode: 0o700, like });
  assert.equal(modeOf(path), 0o1775);
  assert.equal(existsSync(`${path}.new`), false);
});

test('and its owner', { skip: root ? false : 'needs root: chown' }, () => {
  using directory = temporaryDirectory();
  const [path, like] = [`${directory.path}/upper`, `${directory.path}/model`];
  mkdirSync(like);
  chownSync(like, 1234, 5678);
  makeDirectory({ do: 'mkdir', path, mode: 0o755, like });
  const { uid, gid } = statSync(path);
  assert.deepEqual([uid, gid], [1234, 5678]);
});

test('what a kill left of it is completed', () => {
  using directory = temporaryDirectory();
  const [path, like] = [`${directory.path}/upper`, `${directory.path}/model`];
  for (const name of [`${path}.new`, like]) mkdirSync(name);
  chmodSync(`${path}.new`, 0o700);
  chmodSync(like, 0o1775);
  makeDirectory({ do: 'mkdir', path, mode: 0o755, like });
  assert.equal(modeOf(path), 0o1775);
  assert.equal(existsSync(`${path}.new`), false);
});

test('a file in the way is an error', () => {
  using directory = temporaryDirectory();
  writeFileSync(`${directory.path}/file`, '');
  const path = `${directory.path}/file/below`;
  assert.throws(() => makeDirectory({ do: 'mkdir', path, mode: 0o755 }), { code: 'ENOTDIR' });
});
