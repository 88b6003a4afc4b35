import assert from 'node:assert/strict';
import { closeSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { test } from 'node:test';
import { occupyDirectory, removeIdle } from '../../../src/volume/idle.ts';
import { temporaryDirectory } from '../fixtures.ts';

test('a directory that is occupied is nobody else’s, until that one is done', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/probe`;
  const held = occupyDirectory(path);
  assert.ok(held !== undefined);
  assert.equal(occupyDirectory(path), undefined);
  removeIdle(path);
  assert.ok(existsSync(path));
  closeSync(held);
  removeIdle(path);
  assert.ok(!existsSync(path));
});

test('what a killed one has left is removed first', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/probe`;
  mkdirSync(`${path}/work/work`, { recursive: true });
  const held = occupyDirectory(path);
  assert.ok(held !== undefined);
  assert.ok(!existsSync(`${path}/work`));
  closeSync(held);
});

test('where it cannot be, its errno says why, and nothing is followed', () => {
  using directory = temporaryDirectory();
  assert.throws(() => occupyDirectory(`${directory.path}/no/probe`), { code: 'ENOENT' });
  mkdirSync(`${directory.path}/elsewhere`);
  symlinkSync('elsewhere', `${directory.path}/link`);
  removeIdle(`${directory.path}/link`);
  assert.deepEqual(readdirSync(directory.path), ['elsewhere']);
});
