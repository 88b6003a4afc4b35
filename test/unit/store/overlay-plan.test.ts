import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../../src/config/keys.ts';
import type { Facts } from '../../../src/store/facts.ts';
import { makeVolume } from '../fixtures.ts';
import { assertOrder, only, overlaySteps, stepsOf } from './steps.ts';

const stable = ['index=off', 'metacopy=off', 'redirect_dir=off', 'xino=off', 'nfs_export=off'];
// userxattr allows no redirects, and redirect_dir=off would still follow them on some kernels.
const inUserNamespace = [
  'index=off',
  'metacopy=off',
  'redirect_dir=nofollow',
  'userxattr',
  'xino=off',
  'nfs_export=off',
];

test('the overlay lies over the pristine store, with the options that survive an upgrade', () => {
  assert.deepEqual(only(overlaySteps(), 'overlay'), {
    do: 'overlay',
    target: '/nix/store',
    lower: ['/run/nix-cache-init/lower/store'],
    upper: '/nix-cache/upper',
    work: '/nix-cache/workdir',
    options: stable,
  });
});

for (const userNamespace of [true, false]) {
  const xattrs = userNamespace ? 'user' : 'trusted';
  test(`marks are ${xattrs}.* ${userNamespace ? 'in' : 'outside'} a user namespace, also in the manifest`, () => {
    const steps = overlaySteps({ userNamespace });
    assert.deepEqual(only(steps, 'overlay').options, userNamespace ? inUserNamespace : stable);
    assert.equal(only(steps, 'verify').xattrs, xattrs);
    const { files, strategy, ...rest } = only(steps, 'reconcile');
    assert.deepEqual([strategy, rest.xattrs], ['overlay', xattrs]);
    assert.equal(files.manifest, '/nix-cache/.nix-cache-init/manifest.json');
  });
}

test('the upper directory takes owner and mode from the store; the work directory is private', () => {
  const made = stepsOf(overlaySteps(), 'mkdir');
  assert.equal(made.find(({ path }) => path === '/nix-cache/upper')?.like, '/nix/store');
  assert.equal(made.find(({ path }) => path === '/nix-cache/workdir')?.mode, 0o700);
});

test('what belongs to one boot is cleared on the volume, and nothing else', () => {
  const { paths, idle } = only(overlaySteps(), 'clear');
  assert.deepEqual(idle, ['/nix-cache/.nix-cache-init.doctor']);
  assert.deepEqual(
    [...paths].sort(),
    ['builds', 'daemon-socket', 'gc-roots-socket', 'gc-socket', 'temproots', 'userpool', 'userpool2'].map(
      (part) => `/nix-cache/var/nix/${part}`,
    ),
  );
});

const waits: [Config['onLocked'], number][] = [
  ['fail', 0],
  ['wait', 30_000],
  // Then another plan is made.
  ['read-only', 0],
];

for (const [onLocked, waitMs] of waits) {
  test(`onLocked ${onLocked}: ${waitMs} ms`, () => {
    const locks = stepsOf(overlaySteps({}, { onLocked, lockTimeout: 30_000 }), 'lock');
    assert.deepEqual(
      locks.map((step) => [step.of, step.waitMs, step.orRead]),
      [
        ['volume', waitMs, onLocked === 'read-only'],
        ['mounts', 0, false],
      ],
    );
  });
}

test('every directory comes from the configuration', () => {
  const text = JSON.stringify(
    overlaySteps({}, { cacheDir: '/data', storeDir: '/s/store', stateDir: '/s/state' }),
  );
  assert.doesNotMatch(text, /\/nix-cache\/|\/nix\/(store|var\/nix)/);
});

test('the same facts and configuration give the same plan', () => {
  assert.deepEqual(overlaySteps(), overlaySteps());
});

test('the kind of disk changes nothing', () => {
  assert.deepEqual(
    overlaySteps({ volume: makeVolume({ fileSystem: 'btrfs', mounted: false }) }),
    overlaySteps(),
  );
});

test('/run is a plain directory where it can be written, a tmpfs elsewhere', () => {
  const run = '/run/nix-cache-init';
  assert.deepEqual(stepsOf(overlaySteps(), 'tmpfs'), []);
  assertOrder(overlaySteps(), { do: 'mkdir', path: run }, { do: 'mkdir', path: `${run}/lower/store` });
  const readOnly = overlaySteps({ runReadOnly: true });
  assertOrder(readOnly, { do: 'tmpfs', target: run }, { do: 'mkdir', path: `${run}/lower/store` });
  assert.equal(
    stepsOf(readOnly, 'mkdir').some(({ path }) => path === run),
    false,
  );
});

test('builds stay in the container’s own layer where that can be written', () => {
  const builds = '/nix/var/nix/builds';
  const kept = '/run/nix-cache-init/builds';
  assertOrder(
    overlaySteps(),
    { do: 'mkdir', path: builds },
    { do: 'bind', source: builds, target: kept, readOnly: false },
    { do: 'mkdir', path: '/nix-cache/var/nix/builds' },
    { do: 'bind', target: '/nix/var/nix' },
    { do: 'bind', source: kept, target: builds, readOnly: false },
  );
});

test('builds are in memory where it cannot', () => {
  const steps = overlaySteps({ stateReadOnly: true });
  assertOrder(
    steps,
    { do: 'mkdir', path: '/nix-cache/var/nix/builds' },
    { do: 'bind', target: '/nix/var/nix' },
    { do: 'tmpfs', target: '/nix/var/nix/builds' },
  );
  assert.equal(
    stepsOf(steps, 'bind').some(({ target }) => target.endsWith('/builds')),
    false,
  );
});

const logs: [string, Partial<Facts>, boolean][] = [
  ['a writable root', {}, false],
  ['a read-only root', { stateReadOnly: true }, true],
  ['a read-only root without the directory', { stateReadOnly: true, logDir: undefined }, false],
];

for (const [name, facts, onVolume] of logs) {
  test(`build logs with ${name}: ${onVolume ? 'on the volume' : 'left alone'}`, () => {
    const bound = stepsOf(overlaySteps(facts), 'bind').filter(({ target }) => target === '/nix/var/log');
    const expected = { do: 'bind', source: '/nix-cache/var/log', target: '/nix/var/log', readOnly: false };
    assert.deepEqual(bound, onVolume ? [expected] : []);
  });
}

test('what a killed boot left is unmounted under the lock, before the volume is looked at; else there is no such step', () => {
  const leftovers = ['/nix/store', '/run/nix-cache-init/lower/store'];
  const steps = overlaySteps({ leftovers });
  assert.deepEqual(only(steps, 'unmount').targets, leftovers);
  assertOrder(
    steps,
    { of: 'volume' },
    { do: 'unmount', claim: '/run/nix-cache-init/lock' },
    { do: 'verify' },
  );
  assert.deepEqual(stepsOf(overlaySteps(), 'unmount'), []);
});
