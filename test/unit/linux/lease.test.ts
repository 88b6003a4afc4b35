import assert from 'node:assert/strict';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { isOpenForWriting } from '../../../src/linux/lease.ts';
import { takeLock } from '../../../src/volume/lock.ts';
import { temporaryDirectory } from '../fixtures.ts';

const { signal } = new AbortController();

test('who holds a lock has its file open for writing; who merely reads it has not', async () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/lock`;
  const lock = await takeLock({ path, waitMs: 0, signal });
  assert.equal(isOpenForWriting(path), true);
  closeSync(lock);
  const reader = openSync(path, 'r');
  assert.equal(isOpenForWriting(path), false);
  closeSync(reader);
});

test('to look is not to take: the lock is free afterwards, and the file as it was', async () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/lock`;
  writeFileSync(path, 'somebody');
  for (let times = 0; times < 100; times += 1) assert.equal(isOpenForWriting(path), false);
  closeSync(await takeLock({ path, waitMs: 0, signal }));
});

test('a file that is not there says so', () => {
  assert.throws(() => isOpenForWriting('/nonexistent/lock'), { code: 'ENOENT' });
});
