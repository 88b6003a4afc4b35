import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { putNixConf } from '../../../../src/store/steps/nix-conf.ts';
import { Undo } from '../../../../src/store/undo.ts';
import { recordingLog, temporaryDirectory } from '../../fixtures.ts';

/** Writes in place. @returns what takes it back, and what was said about that. */
function put(dir: string, settings: Record<string, string>): { undo: Undo; lines: string[] } {
  const { log, lines } = recordingLog();
  const undo = new Undo(log);
  putNixConf({ do: 'nix-conf', dir, over: 'in place', settings }, undo);
  return { undo, lines };
}

test('in place: our lines are before the user’s, and gone at the end', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/nix.conf`;
  writeFileSync(path, 'cores = 3\n');
  const { undo, lines } = put(directory.path, { store: 'x' });
  assert.match(readFileSync(path, 'utf8'), /^store = x #.*\ncores = 3\n$/);
  undo.run();
  assert.equal(readFileSync(path, 'utf8'), 'cores = 3\n');
  assert.deepEqual([readdirSync(directory.path), lines], [['nix.conf'], []]);
});

test('in place after a kill: they are there once', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/nix.conf`;
  writeFileSync(path, 'cores = 3\n');
  put(directory.path, { store: 'x' });
  const { undo } = put(directory.path, { store: 'y' });
  assert.match(readFileSync(path, 'utf8'), /^store = y #.*\ncores = 3\n$/);
  undo.run();
  assert.equal(readFileSync(path, 'utf8'), 'cores = 3\n');
});

test('in place where there is none: it is made with its directory, and goes again', () => {
  using directory = temporaryDirectory();
  const { undo } = put(`${directory.path}/a/b`, { store: 'x' });
  assert.match(readFileSync(`${directory.path}/a/b/nix.conf`, 'utf8'), /^store = x #/m);
  undo.run();
  assert.equal(existsSync(`${directory.path}/a/b/nix.conf`), false);
});

test('in place of a link: what it leads to is read, and stays as it is', () => {
  using directory = temporaryDirectory();
  const target = `${directory.path}/in-store`;
  mkdirSync(`${directory.path}/etc`);
  writeFileSync(target, 'cores = 3\n');
  symlinkSync(target, `${directory.path}/etc/nix.conf`);
  put(`${directory.path}/etc`, { store: 'x' });
  assert.equal(readFileSync(target, 'utf8'), 'cores = 3\n');
  assert.equal(lstatSync(`${directory.path}/etc/nix.conf`).isSymbolicLink(), false);
  assert.match(readFileSync(`${directory.path}/etc/nix.conf`, 'utf8'), /store = x.*cores = 3/s);
});
