import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type CacheUri, parseCacheUri } from '../../../src/config/cache-uri.ts';
import { PushRecord, recordFile } from '../../../src/push/record.ts';
import { temporaryDirectory } from '../fixtures.ts';

const hash = (letter: string): string => letter.repeat(32);
const path = (letter: string): string => `/nix/store/${hash(letter)}-${letter}`;

function cacheAt(uri: string): CacheUri {
  const parsed = parseCacheUri(uri);
  assert.ok(parsed);
  return parsed;
}

const to = cacheAt('https://me:secret@cache.example');

test('what was added is read, in the record of that cache alone, whoever pushes there', async () => {
  using directory = temporaryDirectory();
  const records = `${directory.path}/not/yet/there`;
  const record = new PushRecord(records, to);
  assert.deepEqual(await record.read(), new Set());
  await record.note([path('a'), path('b')]);
  await record.note([path('c')]);
  assert.deepEqual(await record.read(), new Set(['a', 'b', 'c'].map(hash)));
  const same = cacheAt('https://cache.example/?secret-key=/key');
  assert.deepEqual((await new PushRecord(records, same).read()).size, 3);
  const other = cacheAt('https://cache.example:8080');
  assert.deepEqual((await new PushRecord(records, other).read()).size, 0);
  assert.doesNotMatch(readFileSync(recordFile(records, to), 'utf8'), /secret/);
});

test('two who add at a time lose nothing', async () => {
  using directory = temporaryDirectory();
  const [one, other] = [new PushRecord(directory.path, to), new PushRecord(directory.path, to)];
  await Promise.all([one.note([path('a')]), other.note([path('b'), path('c')])]);
  await Promise.all([other.note([path('d')]), one.note([path('e')])]);
  assert.deepEqual(await other.read(), new Set(['a', 'b', 'c', 'd', 'e'].map(hash)));
});

test('cut off at any byte, no path is in it that was not, and the next ones are', async () => {
  using directory = temporaryDirectory();
  const record = new PushRecord(directory.path, to);
  await record.note([path('a'), path('b')]);
  const file = recordFile(directory.path, to);
  const whole = readFileSync(file, 'utf8');
  for (let length = 0; length <= whole.length; length += 1) {
    writeFileSync(file, whole.slice(0, length));
    const before = await record.read();
    for (const known of before) assert.ok(['a', 'b'].map(hash).includes(known), `${length}: ${known}`);
    await record.note([path('c')]);
    const after = await record.read();
    assert.ok(after.has(hash('c')), `${length}`);
    for (const known of [...before]) assert.ok(after.has(known), `${length}: ${known}`);
    for (const known of after) assert.ok(['a', 'b', 'c'].map(hash).includes(known), `${length}: ${known}`);
  }
});

test('lines that are none are not believed', async () => {
  using directory = temporaryDirectory();
  const record = new PushRecord(directory.path, to);
  await record.note([path('a')]);
  appendFileSync(recordFile(directory.path, to), `\nrubbish\n\0\0\0\n${hash('b')}\n`);
  assert.deepEqual(await record.read(), new Set([hash('a')]));
});
