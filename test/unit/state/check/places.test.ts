import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { parseMountInfo } from '../../../../src/linux/mountinfo.ts';
import { describePlaces, findPlaces, isOnVolume } from '../../../../src/state/check/places.ts';
import { isInitError } from '../../fixtures.ts';

const runDir = '/run/nix-cache-init';
const run = {
  lowerStore: `${runDir}/lower/store`,
  lowerState: `${runDir}/lower/state`,
  lower: (number: number) => `${runDir}/lower/${number}`,
  upper: `${runDir}/upper`,
};
const root = '1 0 0:1 / / rw - overlay overlay rw';

function places(lines: string[], { used = true, strategy = 'auto', lowers = [] as string[] } = {}) {
  const cacheDir = mkdtempSync(`${tmpdir()}/nix-cache-init-places-`);
  try {
    if (used) for (const name of ['upper', 'var/nix']) mkdirSync(`${cacheDir}/${name}`, { recursive: true });
    const config = { strategy, cacheDir, storeDir: '/nix/store', stateDir: '/nix/var/nix', lowers };
    const mounts = parseMountInfo([root, ...lines].join('\n').replaceAll('CACHE', cacheDir));
    const { stateDir, ...found } = findPlaces(config, mounts, run);
    return { ...found, stateDir: stateDir.replace(cacheDir, 'CACHE') };
  } finally {
    rmSync(cacheDir, { recursive: true });
  }
}

const lower = '2 1 0:1 /nix/store /run/nix-cache-init/lower/store ro - overlay overlay rw';
const overlay = (upper: string): string =>
  `3 1 0:2 / /nix/store rw - overlay overlay rw,lowerdir=/l,upperdir=${upper},workdir=/w`;

test('under an init, the store is what it has mounted', () => {
  const { kind, stateDir, volume } = places([lower, overlay('CACHE/upper')]);
  assert.deepEqual([kind, stateDir], ['mounted', '/nix/var/nix']);
  assert.deepEqual(volume?.image, { storeDir: `${runDir}/lower/store`, stateDir: `${runDir}/lower/state` });
});

test('a reader shows a store of its own', () => {
  const { kind, stateDir } = places([lower, overlay(run.upper)]);
  assert.deepEqual([kind, stateDir], ['reader', '/nix/var/nix']);
});

test('where nothing is mounted, the volume lies beside the image', () => {
  const { kind, stateDir, volume } = places([]);
  assert.deepEqual([kind, stateDir], ['volume', 'CACHE/var/nix']);
  assert.deepEqual(volume?.image, { storeDir: '/nix/store', stateDir: '/nix/var/nix' });
});

test('further lowers are those that init has bound, or those of the configuration where it has not run', () => {
  const bound = [1, 2].map((n) => `${n + 3} 1 0:${n} /x ${run.lower(n)} ro - ext4 /dev/b rw`);
  const configured = ['/m/a/store', '/m/b/store'];
  const stores = (lines: string[]) =>
    places(lines, { lowers: configured }).volume?.lowers.map(({ storeDir }) => storeDir);
  assert.deepEqual(stores([lower, ...bound, overlay('CACHE/upper')]), [run.lower(1), run.lower(2)]);
  assert.deepEqual(stores([lower, overlay('CACHE/upper')]), []);
  assert.deepEqual(stores([]), configured);
});

test('an overlay of somebody else is none of ours', () => {
  assert.equal(places([lower, overlay('/other/upper')]).kind, 'volume');
  assert.equal(places([overlay('CACHE/upper')]).kind, 'volume');
});

test('a volume that was never used, and none at all, leave the store as it is', () => {
  assert.deepEqual(places([], { used: false }), {
    kind: 'plain',
    storeDir: '/nix/store',
    stateDir: '/nix/var/nix',
  });
  assert.equal(places([], { strategy: 'none' }).kind, 'plain');
});

test('only a volume that is not mounted is there to be worked on', () => {
  const image = { storeDir: '/s', stateDir: '/v' };
  const volume = { root: '/c', upper: '/c/upper', image, lowers: [], below: [] };
  const base = { storeDir: '/nix/store', stateDir: '/v' };
  assert.ok(isOnVolume({ kind: 'volume', ...base, volume }));
  assert.ok(!isOnVolume({ kind: 'mounted', ...base, volume }));
  assert.ok(!isOnVolume({ kind: 'plain', ...base }));
});

const onPrefix: [string, string, { storeDir: string; realStoreDir: string; stateDir: string }][] = [
  [
    'for a chroot',
    '/nix/store',
    {
      storeDir: '/nix/store',
      realStoreDir: '/v/root/nix/store',
      stateDir: '/v/root/nix/var/nix',
    },
  ],
  [
    'at its own place',
    '/v/store',
    { storeDir: '/v/store', realStoreDir: '/v/store', stateDir: '/v/root/nix/var/nix' },
  ],
];

for (const [name, storeDir, expected] of onPrefix) {
  test(`with strategy prefix it is the store of the volume, ${name}`, () => {
    const config = { strategy: 'prefix', cacheDir: '/v', storeDir, stateDir: '/nix/var/nix', lowers: [] };
    const found = findPlaces(config, parseMountInfo(root), run);
    assert.deepEqual(found, { kind: 'plain', ...expected });
    assert.match(
      describePlaces(found),
      new RegExp(`^${expected.realStoreDir} on the volume, with .*/v/root/`),
    );
  });
}

test('with strategy host there is nothing to check here, however used a volume beside it is', () => {
  assert.throws(
    () => places([], { strategy: 'host' }),
    isInitError({
      exitCode: 78,
      stage: 'check',
      errno: 'EXDEV',
      what: /^\/nix\/store is the host's store/,
      remedy: /on the host: nix-store --verify --check-contents; .* check --strategy overlay$/,
    }),
  );
});

test('with strategy substituter it is the container’s own store, and never a volume that an overlay uses', () => {
  const found = places([], { strategy: 'substituter' });
  assert.deepEqual([found.kind, found.stateDir, found.volume], ['plain', '/nix/var/nix', undefined]);
  assert.match(describePlaces(found), /^\/nix\/store of this container, .*\/binary-cache it checks itself$/);
});
