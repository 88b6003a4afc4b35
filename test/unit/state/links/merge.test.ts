import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { readImageLinks } from '../../../../src/state/links/links.ts';
import { type MergeRequest, mergeImageLinks } from '../../../../src/state/links/merge.ts';
import { temporaryDirectory } from '../../fixtures.ts';
import { at, isPresent } from './merging.ts';

function link(stateDir: string, path: string, target: string): void {
  mkdirSync(dirname(`${stateDir}/${path}`), { recursive: true });
  symlinkSync(target, `${stateDir}/${path}`);
}

function request(base: string, image = 'image'): MergeRequest {
  mkdirSync(`${base}/own`, { recursive: true });
  for (const dir of [image, 'volume']) mkdirSync(`${base}/${dir}/profiles`, { recursive: true });
  return {
    from: `${base}/${image}`,
    to: `${base}/volume`,
    storeDir: '/nix/store',
    stateDir: '/nix/var/nix',
    record: `${base}/own/image-links.json`,
    present: isPresent,
  };
}

/** A state directory's links by path. */
const linksIn = (stateDir: string): Record<string, string> =>
  Object.fromEntries(
    [...readImageLinks(stateDir)].flatMap(([path, entry]) =>
      entry.kind === 'symlink' ? [[path, entry.target]] : [],
    ),
  );

test('a volume follows its image from the first boot on', () => {
  using directory = temporaryDirectory();
  const first = request(directory.path);
  for (const dir of [first.from, first.to]) link(dir, 'profiles/p', at('a'));
  mergeImageLinks(first);
  assert.deepEqual(mergeImageLinks(first), { changes: [], base: 'known' });
  const second = request(directory.path, 'second');
  link(second.from, 'profiles/p', at('b'));
  link(second.from, 'gcroots/per-user/x/r', at('c'));
  const { changes, base } = mergeImageLinks(second);
  assert.deepEqual([changes.length, base], [5, 'known']);
  assert.deepEqual(linksIn(second.to), linksIn(second.from));
  assert.deepEqual(mergeImageLinks(second), { changes: [], base: 'known' });
});

test('of a volume without a record nothing is known, and with one that is damaged just as much', () => {
  using directory = temporaryDirectory();
  const merge = request(directory.path);
  link(merge.from, 'profiles/p', at('b'));
  link(merge.to, 'profiles/p', at('u'));
  assert.deepEqual(mergeImageLinks(merge), { changes: [], base: 'unknown' });
  for (const text of [
    '',
    '[]',
    '{',
    '{"format":1}',
    '{"format":1,"bases":[]}',
    '{"format":1,"bases":[{"a":1}]}',
  ]) {
    writeFileSync(merge.record, text);
    assert.deepEqual(mergeImageLinks(merge), { changes: [], base: 'damaged' }, text);
    assert.deepEqual(mergeImageLinks(merge), { changes: [], base: 'known' }, text);
  }
  assert.deepEqual(linksIn(merge.to), { 'profiles/p': at('u') });
});

test('names that are no UTF-8 come over, and are known by the record', () => {
  using directory = temporaryDirectory();
  const merge = request(directory.path);
  const name = Buffer.from([0x63, 0xe9]);
  const path = (dir: string): Buffer => Buffer.concat([Buffer.from(`${dir}/profiles/`), name]);
  symlinkSync(Buffer.from([0x2f, 0xff]), path(merge.from));
  mergeImageLinks(merge);
  assert.deepEqual(readlinkSync(path(merge.to), 'buffer'), Buffer.from([0x2f, 0xff]));
  unlinkSync(path(merge.to));
  // That a user removed it can only be told from the record.
  assert.deepEqual(mergeImageLinks(merge), { changes: [], base: 'known' });
});

test('names that mean something in JavaScript do not', () => {
  using directory = temporaryDirectory();
  const merge = request(directory.path);
  for (const name of ['__proto__', 'constructor', '0']) link(merge.from, `profiles/${name}`, at('a'));
  mergeImageLinks(merge);
  assert.deepEqual(readdirSync(`${merge.to}/profiles`).sort(), ['0', '__proto__', 'constructor']);
  for (const name of readdirSync(`${merge.to}/profiles`)) unlinkSync(`${merge.to}/profiles/${name}`);
  assert.deepEqual(mergeImageLinks(merge), { changes: [], base: 'known' });
});

test('directories come with their mode, whatever the umask, and files are left alone', () => {
  using directory = temporaryDirectory();
  const merge = request(directory.path);
  mkdirSync(`${merge.from}/gcroots/per-user`, { recursive: true });
  chmodSync(`${merge.from}/gcroots/per-user`, 0o1777);
  writeFileSync(`${merge.from}/gcroots/file`, 'of the image');
  mergeImageLinks(merge);
  assert.equal(statSync(`${merge.to}/gcroots/per-user`).mode & 0o7777, 0o1777);
  assert.deepEqual(readdirSync(`${merge.to}/gcroots`), ['per-user']);
});

test('roots that are made from records of our own are no business of the image', () => {
  using directory = temporaryDirectory();
  const merge = request(directory.path);
  for (const area of ['image', 'absent']) {
    link(merge.from, `gcroots/${area}/x`, at('a'));
    link(merge.to, `gcroots/${area}/y`, at('B'));
  }
  mergeImageLinks(merge);
  assert.deepEqual(readdirSync(`${merge.to}/gcroots/image`), ['y']);
  assert.deepEqual(readdirSync(`${merge.to}/gcroots/absent`), ['y']);
});

test("what an interrupted merge left of a link or a directory is in nobody's way", () => {
  for (const leave of [
    (path: string) => mkdirSync(`${path}/sub`, { recursive: true }),
    (path: string) => symlinkSync('/nowhere', path),
  ]) {
    using directory = temporaryDirectory();
    const merge = request(directory.path);
    link(merge.from, 'gcroots/x', at('a'));
    leave(`${merge.record}.link`);
    mergeImageLinks(merge);
    assert.deepEqual(linksIn(merge.to), { 'gcroots/x': at('a') });
    assert.equal(existsSync(`${merge.record}.link`), false);
  }
});

test('a record that would say the same is not written again', () => {
  using directory = temporaryDirectory();
  const merge = request(directory.path);
  link(merge.from, 'profiles/p', at('b'));
  mergeImageLinks(merge);
  const { ino } = statSync(merge.record);
  const text = readFileSync(merge.record, 'utf8');
  mergeImageLinks(merge);
  assert.deepEqual([statSync(merge.record).ino, readFileSync(merge.record, 'utf8')], [ino, text]);
});
