import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMountInfo } from '../../../src/linux/mountinfo.ts';
import { findLeftovers } from '../../../src/store/leftovers.ts';
import { makeConfig } from '../fixtures.ts';

const runDir = '/run/nix-cache-init';
const root = '1 0 0:1 / / rw - ext4 /dev/a rw';
const volume = '2 1 0:2 / /nix-cache rw - ext4 /dev/b rw';
const left = [
  `3 1 0:1 /nix/store ${runDir}/lower/store ro - ext4 /dev/a rw`,
  `4 1 0:1 /nix/var/nix ${runDir}/lower/state ro - ext4 /dev/a rw`,
  '5 1 0:5 / /nix/store rw - overlay overlay rw,upperdir=/nix-cache/upper',
  '6 1 0:2 /var/nix /nix/var/nix rw - ext4 /dev/b rw',
  `7 1 0:1 ${runDir}/nix.conf /etc/nix/nix.conf rw - ext4 /dev/a rw`,
];
const find = (...lines: string[]): string[] => findLeftovers(parseMountInfo(lines.join('\n')), makeConfig());

test('all that a killed boot left is found, newest first', () => {
  assert.deepEqual(find(root, volume, ...left), [
    '/etc/nix/nix.conf',
    '/nix/var/nix',
    '/nix/store',
    `${runDir}/lower/state`,
    `${runDir}/lower/store`,
  ]);
});

test('without our mark nothing is ours, however much it looks like it', () => {
  assert.deepEqual(find(root, volume, ...left.slice(2)), []);
});

test('all that a killed reader left is found, newest first', () => {
  const reader = [
    `5 1 0:9 / ${runDir}/scratch rw - tmpfs tmpfs rw`,
    `6 1 0:5 / /nix/store rw - overlay overlay rw,upperdir=${runDir}/scratch/upper`,
    '7 6 0:2 /upper/0-stray /nix/store/0-stray ro - ext4 /dev/b rw',
    `8 1 0:1 ${runDir}/state /nix/var/nix rw - ext4 /dev/a rw`,
  ];
  assert.deepEqual(find(root, volume, ...left.slice(0, 2), ...reader), [
    '/nix/var/nix',
    '/nix/store/0-stray',
    '/nix/store',
    `${runDir}/scratch`,
    `${runDir}/lower/state`,
    `${runDir}/lower/store`,
  ]);
});

test('what somebody has mounted inside of the store or over the state is left to him', () => {
  const others = [
    '8 1 0:7 /project /nix/store/0-mine rw - ext4 /dev/c rw',
    '9 1 0:7 /elsewhere /nix/var/nix rw - ext4 /dev/c rw',
  ];
  const [aside = ''] = left;
  assert.deepEqual(find(root, volume, aside, ...others), [`${runDir}/lower/store`]);
});

test("an overlay with another upper is somebody else's", () => {
  const [aside = '', , overlay = ''] = left;
  const other = overlay.replace('/nix-cache/upper', '/elsewhere/upper');
  assert.deepEqual(find(root, volume, aside, other), [`${runDir}/lower/store`]);
});
