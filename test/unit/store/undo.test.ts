import assert from 'node:assert/strict';
import { existsSync, fstatSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Undo } from '../../../src/store/undo.ts';
import { recordingLog, temporaryDirectory } from '../fixtures.ts';

test('what was done is taken back once', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/socket`;
  const { log, lines } = recordingLog();
  const undo = new Undo(log);
  const fd = openSync(path, 'w');
  undo.closing(fd);
  undo.removing(path);
  undo.run();
  assert.throws(() => fstatSync(fd), { code: 'EBADF' });
  assert.equal(existsSync(path), false);
  writeFileSync(path, '');
  undo.run();
  assert.equal(existsSync(path), true);
  assert.deepEqual(lines, []);
});

test('one that fails is reported, and the others are done all the same', () => {
  using directory = temporaryDirectory();
  const [first, second, last] = ['first', 'second', 'last'].map((name) => `${directory.path}/${name}`);
  assert.ok(first && second && last);
  const { log, lines } = recordingLog();
  const undo = new Undo(log);
  for (const path of [first, last]) writeFileSync(path, '');
  mkdirSync(second);
  for (const path of [first, second, last]) undo.removing(path);
  undo.run();
  assert.deepEqual(
    [first, second, last].map((path) => existsSync(path)),
    [false, true, false],
  );
  assert.deepEqual(lines, ['error: could not undo a step of the boot']);
});

test('the newest goes first', () => {
  using directory = temporaryDirectory();
  const order: string[] = [];
  const { log } = recordingLog();
  // Each failure is logged at its turn, and a directory cannot be removed like a file.
  const undo = new Undo({ ...log, error: (_, fields) => void order.push(String(fields?.['error'])) });
  for (const name of ['one', 'two', 'three']) {
    mkdirSync(`${directory.path}/${name}`);
    undo.removing(`${directory.path}/${name}`);
  }
  undo.run();
  const names = order.map((text) => /one|two|three/.exec(text.replace(directory.path, ''))?.[0]);
  assert.deepEqual(names, ['three', 'two', 'one']);
});

test('what is gone already needs no removing', () => {
  const { log, lines } = recordingLog();
  const undo = new Undo(log);
  undo.removing('/nonexistent/socket');
  undo.run();
  assert.deepEqual(lines, []);
});
