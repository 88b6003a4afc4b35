import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { bootId, sweepCache } from '../../../src/binary-cache/sweep.ts';
import { recordingLog, temporaryDirectory } from '../fixtures.ts';

const hash = (letter: string): string => letter.repeat(32);
const narinfo = (nar: string, size: number): string =>
  `StorePath: /nix/store/${hash('a')}-a\nURL: nar/${nar}\nFileSize: ${size}\nReferences: \nSig: k:x==\n`;

/** A cache with one path that is whole, and every way in which one may not be. */
function fill(cache: string): void {
  mkdirSync(`${cache}/nar`, { recursive: true });
  const nars = { whole: 'contents', short: 'cont', unsigned: 'contents', stray: 'contents' };
  for (const [name, text] of Object.entries(nars)) writeFileSync(`${cache}/nar/${name}.nar.zst`, text);
  const files: Record<string, string> = {
    'nix-cache-info': 'StoreDir: /nix/store\n',
    [`${hash('a')}.narinfo`]: narinfo('whole.nar.zst', 8),
    [`${hash('b')}.narinfo`]: narinfo('short.nar.zst', 8),
    [`${hash('c')}.narinfo`]: narinfo('missing.nar.zst', 8),
    [`${hash('d')}.narinfo`]: narinfo('unsigned.nar.zst', 8).slice(0, -2),
    [`${hash('f')}.narinfo`]: '',
    [`${hash('g')}.narinfo`]: narinfo('../../../etc/passwd', 8),
    [`${hash('h')}.narinfo.tmp.17.1`]: narinfo('whole.nar.zst', 8),
    'nar/half.nar.zst.tmp.17.2': 'con',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(`${cache}/${name}`, text);
}

const context = (signal = new AbortController().signal) => ({ log: recordingLog().log, signal });

test('after a kill temporary names go, and nothing else is even looked at', async () => {
  using directory = temporaryDirectory();
  fill(directory.path);
  const before = readdirSync(directory.path).filter((name) => !name.includes('.tmp.'));
  await sweepCache(directory.path, false, context());
  assert.deepEqual(readdirSync(directory.path), before);
  assert.deepEqual(readdirSync(`${directory.path}/nar`), [
    'short.nar.zst',
    'stray.nar.zst',
    'unsigned.nar.zst',
    'whole.nar.zst',
  ]);
});

test('after a power cut only what is whole stays', async () => {
  using directory = temporaryDirectory();
  fill(directory.path);
  await sweepCache(directory.path, true, context());
  assert.deepEqual(readdirSync(directory.path), [`${hash('a')}.narinfo`, 'nar', 'nix-cache-info']);
  assert.deepEqual(readdirSync(`${directory.path}/nar`), ['whole.nar.zst']);
});

test('a signal ends it', async () => {
  using directory = temporaryDirectory();
  fill(directory.path);
  const stopped = new Error('stopped');
  const aborted = AbortSignal.abort(stopped);
  await assert.rejects(sweepCache(directory.path, true, context(aborted)), stopped);
});

test('the kernel names this run of it', () => {
  assert.match(bootId(), /^[0-9a-f-]{36}$/);
});
