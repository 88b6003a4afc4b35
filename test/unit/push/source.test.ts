import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { listPaths, type Source } from '../../../src/push/source.ts';
import { nixSchema } from '../../harness/nixSchema.ts';
import { temporaryDirectory } from '../fixtures.ts';

const hash = (letter: string): string => letter.repeat(32);
const name = (letter: string): string => `${hash(letter)}-${letter}`;
const path = (letter: string): string => `/nix/store/${name(letter)}`;
const none = (): boolean => false;

/** A layer with these names, and a database with those. */
function makeLayer(directory: string, names: string[], valid: string[]): Source {
  for (const part of ['upper', 'state', 'state/db']) mkdirSync(`${directory}/${part}`);
  for (const one of names) mkdirSync(`${directory}/upper/${one}`);
  using database = new DatabaseSync(`${directory}/state/db/db.sqlite`);
  database.exec(nixSchema);
  const insert = database.prepare(`insert into ValidPaths (path, hash, registrationTime) values (?, 'x', 0)`);
  for (const one of valid) insert.run(one);
  return {
    kind: 'store',
    names: `${directory}/upper`,
    storeDir: '/nix/store',
    stateDir: `${directory}/state`,
  };
}

test('what the layer has and is valid, but derivations, and what is known', async () => {
  using directory = temporaryDirectory();
  const names = [name('a'), name('b'), `${name('c')}.drv`, `${name('d')}.lock`, name('f'), '.links', 'tmp'];
  // The image has e.
  const valid = [path('a'), path('b'), `${path('c')}.drv`, path('e')];
  const source = makeLayer(directory.path, names, valid);
  assert.deepEqual(await listPaths(source, none), [path('a'), path('b')]);
  assert.deepEqual(await listPaths(source, (known) => known === hash('a')), [path('b')]);
});

test('what a binary cache describes, but derivations, temporary names, and what is known', async () => {
  using directory = temporaryDirectory();
  for (const [file, letter] of [
    [`${hash('a')}.narinfo`, 'a'],
    [`${hash('b')}.narinfo`, 'b'],
    [`${hash('c')}.narinfo.tmp.1.2`, 'c'],
    ['nix-cache-info', 'd'],
  ] as const)
    writeFileSync(`${directory.path}/${file}`, `StorePath: ${path(letter)}\nURL: nar/x\n`);
  writeFileSync(`${directory.path}/${hash('f')}.narinfo`, `StorePath: ${path('f')}.drv\n`);
  writeFileSync(`${directory.path}/${hash('g')}.narinfo`, 'torn');
  const source: Source = { kind: 'cache', names: directory.path };
  assert.deepEqual(await listPaths(source, none), [path('a'), path('b')]);
  assert.deepEqual(await listPaths(source, (known) => known === hash('a')), [path('b')]);
});

test('where there is nothing, nothing is new', async () => {
  using directory = temporaryDirectory();
  const names = `${directory.path}/no`;
  assert.deepEqual(await listPaths({ kind: 'cache', names }, none), []);
  const { path: stateDir } = directory;
  assert.deepEqual(await listPaths({ kind: 'store', names, storeDir: '/nix/store', stateDir }, none), []);
});
