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
  assert.deepEqual(find(root, volume, ...left.slice(2, -1)), []);
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

const conf = left.at(-1) ?? '';

test('of strategy host the nix.conf is found, which is all that it mounts', () => {
  assert.deepEqual(find(root, conf), ['/etc/nix/nix.conf']);
  const around = conf.replaceAll('nix.conf ', 'nix.conf.d ').replace('/etc/nix/nix.conf.d', '/etc/nix');
  assert.deepEqual(find(root, around), ['/etc/nix']);
  // Under a read-only root, what is generated is on a tmpfs of ours.
  const tmpfs = `8 1 0:9 / ${runDir} rw - tmpfs tmpfs rw`;
  const inMemory = '9 1 0:9 /nix.conf /etc/nix/nix.conf rw - tmpfs tmpfs rw';
  assert.deepEqual(find(root, tmpfs, inMemory), ['/etc/nix/nix.conf', runDir]);
});

test('what somebody mounts of a directory that is called as ours, or beside our nix.conf, is left to him', () => {
  const [others = '', elsewhere = ''] = [
    '7 1 0:1 /home/me/nix-cache-init/nix.conf /etc/nix/nix.conf rw - ext4 /dev/a rw',
    conf.replace('/dev/a', '/dev/c'),
  ];
  for (const mount of [others, elsewhere]) assert.deepEqual(find(root, mount), []);
  const state = '8 1 0:7 /srv/nix/var/nix /nix/var/nix rw - ext4 /dev/c rw';
  assert.deepEqual(find(root, state, conf), ['/etc/nix/nix.conf']);
});
