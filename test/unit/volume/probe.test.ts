import assert from 'node:assert/strict';
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseMountInfo } from '../../../src/linux/mountinfo.ts';
import { probeVolume } from '../../../src/volume/probe.ts';
import { makeVolume, temporaryDirectory } from '../fixtures.ts';

/** A made-up table of mounts, all on the first: looking reads no other. */
const table = (...lines: [string, string, string, string][]) =>
  parseMountInfo(
    lines
      .map(([target, type, own, all], index) => `${index + 1} 1 0:1 / ${target} ${own} - ${type} x ${all}`)
      .join('\n'),
  );

const root: [string, string, string, string] = ['/', 'overlay', 'rw', 'rw'];

test('a volume that is not there is missing', () => {
  using directory = temporaryDirectory();
  assert.deepEqual(probeVolume(`${directory.path}/no`, table(root)), { kind: 'missing' });
});

test('a symlink that leads nowhere is missing', () => {
  using directory = temporaryDirectory();
  symlinkSync('nowhere', `${directory.path}/link`);
  assert.deepEqual(probeVolume(`${directory.path}/link`, table(root)), { kind: 'missing' });
});

test('one in the container’s own layer is not mounted', () => {
  using directory = temporaryDirectory();
  const expected = makeVolume({ mounted: false, fileSystem: 'overlay' });
  assert.deepEqual(probeVolume(directory.path, table(root)), expected);
});

const mounts: [string, string, string, boolean][] = [
  ['ext4', 'rw', 'rw', false],
  ['xfs', 'ro', 'rw', true],
  ['btrfs', 'rw', 'ro', true],
];

for (const [type, own, all, readOnly] of mounts) {
  test(`a mounted ${type}, ${own} on ${all}`, () => {
    using directory = temporaryDirectory();
    const path = realpathSync(directory.path);
    const expected = makeVolume({ fileSystem: type, readOnly });
    assert.deepEqual(probeVolume(path, table(root, [path, type, own, all])), expected);
  });
}

test('one with an upper directory has been written to', () => {
  using directory = temporaryDirectory();
  const path = realpathSync(directory.path);
  const mount: [string, string, string, string] = [path, 'ext4', 'rw', 'rw'];
  assert.deepEqual(probeVolume(path, table(root, mount)), makeVolume({ hasUpper: false }));
  mkdirSync(`${path}/upper`);
  assert.deepEqual(probeVolume(path, table(root, mount)), makeVolume({ hasUpper: true }));
});

test('a directory below a mount is as lasting as the mount', () => {
  using directory = temporaryDirectory();
  const path = realpathSync(directory.path);
  mkdirSync(`${path}/below`);
  assert.deepEqual(probeVolume(`${path}/below`, table(root, [path, 'ext4', 'rw', 'rw'])), makeVolume());
});

test('a symlink is judged by where it leads', () => {
  using directory = temporaryDirectory();
  const path = realpathSync(directory.path);
  mkdirSync(`${path}/volume`);
  symlinkSync('volume', `${path}/link`);
  const found = probeVolume(`${path}/link`, table(root, [`${path}/volume`, 'ext4', 'rw', 'rw']));
  assert.deepEqual(found, makeVolume());
});

test('a file is no volume, nor is a symlink to one', () => {
  using directory = temporaryDirectory();
  writeFileSync(`${directory.path}/file`, '');
  symlinkSync('file', `${directory.path}/link`);
  for (const name of ['file', 'link']) {
    assert.deepEqual(probeVolume(`${directory.path}/${name}`, table(root)), { kind: 'not a directory' });
  }
});
