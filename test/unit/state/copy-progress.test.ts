import assert from 'node:assert/strict';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { copySize, copyTree } from '../../../src/state/copy.ts';
import { listTree } from '../../../src/state/tree.ts';
import { temporaryDirectory } from '../fixtures.ts';

const paths = (tree: string): string[] => listTree(tree, () => false).map(({ path }) => path);

test('every entry is announced before it is made, and a throw ends the copy there', async () => {
  using directory = temporaryDirectory();
  const [from, to] = [`${directory.path}/from`, `${directory.path}/to`];
  mkdirSync(`${from}/a/b`, { recursive: true });
  const stop = new Error('stop');
  let left = 3;
  const onBytes = (): void => {
    left -= 1;
    if (left === 0) throw stop;
  };
  await assert.rejects(
    copyTree(
      from,
      to,
      listTree(from, () => false),
      onBytes,
    ),
    stop,
  );
  assert.deepEqual(paths(to), ['', 'a']);
});

test('what is reported adds up to no more than there is', async () => {
  using directory = temporaryDirectory();
  const from = `${directory.path}/from`;
  mkdirSync(`${from}/inner`, { recursive: true });
  writeFileSync(`${from}/file`, 'x'.repeat(100_000));
  linkSync(`${from}/file`, `${from}/link`);
  symlinkSync('nowhere', `${from}/symlink`);
  const entries = listTree(from, () => false);
  let done = 0;
  await copyTree(from, `${directory.path}/to`, entries, (bytes) => {
    assert.ok(bytes > 0);
    done += bytes;
  });
  assert.ok(done <= copySize(entries));
  assert.ok(done >= entries.length);
});

test('the size counts the contents of files, and something for every entry', () => {
  using directory = temporaryDirectory();
  assert.equal(copySize([]), 0);
  const size = (): number => copySize(listTree(directory.path, () => false));
  const perEntry = size();
  assert.ok(perEntry > 0);
  mkdirSync(`${directory.path}/inner`);
  symlinkSync('a long text that is no contents', `${directory.path}/symlink`);
  assert.equal(size(), 3 * perEntry);
  writeFileSync(`${directory.path}/file`, 'x'.repeat(1000));
  assert.equal(size(), 4 * perEntry + 1000);
});
