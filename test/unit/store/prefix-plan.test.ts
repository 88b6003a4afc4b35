import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../../src/config/keys.ts';
import type { Facts } from '../../../src/store/facts.ts';
import type { Step } from '../../../src/store/plan.ts';
import { prefix, prefixLimits } from '../../../src/store/prefix.ts';
import { candidates, refusal, select } from '../../../src/store/select.ts';
import { prefixPlaces, storeUri } from '../../../src/volume/prefix-layout.ts';
import { isInitError, makeConfig, makeFacts, makeVolume } from '../fixtures.ts';
import { assertOrder, only, stepsOf } from './steps.ts';

const steps = (facts: Partial<Facts> = {}, config: Partial<Config> = {}): Step[] =>
  prefix.plan(makeFacts(facts), makeConfig({ strategy: 'prefix', ...config }));

const variables = (facts: Partial<Facts> = {}, config: Partial<Config> = {}) =>
  only(steps(facts, config), 'environment').variables;

const settings = (facts: Partial<Facts> = {}, config: Partial<Config> = {}) =>
  stepsOf(steps(facts, config), 'nix-conf')[0]?.settings;

const opt = { cacheDir: '/opt', storeDir: '/opt/store' };

test('by default it is a store for a chroot, all below root/', () => {
  assert.deepEqual(variables(), {
    NIX_REMOTE:
      'local?root=/nix-cache/root&store=/nix/store&real=/nix-cache/root/nix/store' +
      '&state=/nix-cache/root/nix/var/nix&log=/nix-cache/root/nix/var/log/nix',
    NIX_STORE_DIR: '/nix/store',
    NIX_STATE_DIR: '/nix-cache/root/nix/var/nix',
    NIX_LOG_DIR: '/nix-cache/root/nix/var/log/nix',
    NIX_CACHE_HOME: '/nix-cache/root/cache',
    NIX_STATE_HOME: '/nix-cache/root/state',
    NIX_USER_CONF_FILES: '/root/.config/nix/nix.conf:/etc/xdg/nix/nix.conf:/nix-cache/root/nix.conf',
  });
});

test('with a store directory on the volume its paths are where their names say', () => {
  assert.deepEqual(variables({}, opt), {
    NIX_REMOTE:
      'local?store=/opt/store&real=/opt/store&state=/opt/root/nix/var/nix&log=/opt/root/nix/var/log/nix',
    NIX_STORE_DIR: '/opt/store',
    NIX_STATE_DIR: '/opt/root/nix/var/nix',
    NIX_LOG_DIR: '/opt/root/nix/var/log/nix',
    NIX_CACHE_HOME: '/opt/root/cache',
    NIX_STATE_HOME: '/opt/root/state',
    NIX_USER_CONF_FILES: '/root/.config/nix/nix.conf:/etc/xdg/nix/nix.conf:/opt/root/nix.conf',
  });
});

for (const version of ['2.8.0', '2.24.9', '1.99', null]) {
  test(`Nix ${version} knows only XDG_CACHE_HOME`, () => {
    assert.equal(variables({ nixVersion: version }, opt)['XDG_CACHE_HOME'], '/opt/root/cache');
  });
}

for (const version of ['2.25.0', '2.26.3', '2.34.8', '3.0.0']) {
  test(`Nix ${version} has a variable of its own for its cache`, () => {
    assert.equal('XDG_CACHE_HOME' in variables({ nixVersion: version }, opt), false);
  });
}

type Place = [string, Partial<Config>, { store: string; state: string }];

const places: Place[] = [
  ['a volume at /nix', { cacheDir: '/nix' }, { store: '/nix/store', state: '/nix/root/nix/var/nix' }],
  [
    'a state directory on the volume',
    { ...opt, stateDir: '/opt/state' },
    { store: '/opt/store', state: '/opt/state' },
  ],
  [
    'a state directory where an overlay would have its own',
    { ...opt, stateDir: '/opt/var/nix' },
    { store: '/opt/store', state: '/opt/root/opt/var/nix' },
  ],
  [
    'a store that is an overlay’s upper layer',
    { storeDir: '/nix-cache/upper' },
    { store: '/nix-cache/root/nix-cache/upper', state: '/nix-cache/root/nix/var/nix' },
  ],
  [
    'a store that is the whole volume, of which Nix would collect the rest',
    { storeDir: '/nix-cache' },
    { store: '/nix-cache/root/nix-cache', state: '/nix-cache/root/nix/var/nix' },
  ],
  [
    'a store of another name',
    { storeDir: '/gnu/store' },
    { store: '/nix-cache/root/gnu/store', state: '/nix-cache/root/nix/var/nix' },
  ],
  [
    'a name that only begins like the volume',
    { storeDir: '/nix-cache2/store' },
    { store: '/nix-cache/root/nix-cache2/store', state: '/nix-cache/root/nix/var/nix' },
  ],
];

for (const [name, config, { store, state }] of places) {
  test(`${name}: ${store}`, () => {
    const found = prefixPlaces(makeConfig(config));
    assert.deepEqual([found.realStoreDir, found.stateDir], [store, state]);
    assert.equal(prefix.unsupported(makeFacts(), makeConfig(config)), undefined);
  });
}

test('what means something in a URI or in nix.conf is encoded', () => {
  const uri = storeUri(prefixPlaces(makeConfig({ cacheDir: '/a b#c&d=e%f?+é' })));
  const [, query = ''] = uri.split('?');
  assert.match(uri, /^[\w%?&=/.-]+$/);
  assert.equal(new URLSearchParams(query).get('root'), '/a b#c&d=e%f?+é/root');
});

test('nix.conf says the same store, on the volume and in the container', () => {
  const config = makeConfig(opt);
  const step = { do: 'nix-conf', over: 'in place', settings: settings({}, opt) };
  assert.deepEqual(stepsOf(steps({}, opt), 'nix-conf'), [
    { ...step, dir: '/opt/root' },
    { ...step, dir: '/etc/nix' },
  ]);
  assert.equal(settings({}, opt)?.['store'], storeUri(prefixPlaces(config)));
});

test('where the container’s nix.conf cannot be written, it is said how a shell is told', () => {
  const told = steps({ writable: { store: true, volume: true, nixConf: false } });
  assert.deepEqual(
    stepsOf(told, 'nix-conf').map(({ dir }) => dir),
    ['/nix-cache/root'],
  );
  assert.equal(only(told, 'environment').announce, true);
  assert.equal('announce' in only(steps(), 'environment'), false);
});

test('only a store for a chroot forbids to build outside of a sandbox', () => {
  assert.equal(settings()?.['sandbox-fallback'], 'false');
  assert.equal(settings({}, opt)?.['sandbox-fallback'], undefined);
});

test('root builds as itself; whoever is not could not do otherwise', () => {
  assert.equal(settings()?.['build-users-group'], '');
  assert.equal(settings({ root: false })?.['build-users-group'], undefined);
});

test('nothing is mounted, and the volume is locked before anything else is changed', () => {
  const kinds = new Set(steps().map((step) => step.do));
  const expected = ['mkdir', 'lock', 'manifest', 'claim-state', 'clear', 'nix-conf', 'environment', 'roots'];
  assert.deepEqual([...kinds], expected);
  const claim = {
    do: 'claim-state',
    storeDir: '/nix/store',
    stateDir: '/nix-cache/root/nix/var/nix',
  } as const;
  assertOrder(steps(), { do: 'lock' }, { do: 'manifest' }, claim, { do: 'clear' }, { do: 'environment' });
});

test('roots of projects are kept on the volume, beside those of an overlay', () => {
  assert.deepEqual(only(steps({}, opt), 'roots'), {
    do: 'roots',
    state: '/opt/root/nix/var/nix',
    stateDir: '/opt/root/nix/var/nix',
    storeDir: '/opt/store',
    record: '/opt/root/indirect-roots.json',
  });
});

for (const [onLocked, waitMs] of [
  ['fail', 0],
  ['wait', 30_000],
  ['read-only', 0],
] as const) {
  test(`a locked volume with onLocked=${onLocked}: ${waitMs} ms, and never read instead`, () => {
    const { do: _, of, path, ...lock } = only(steps({}, { onLocked }), 'lock');
    assert.deepEqual(lock, { waitMs, orRead: false });
  });
}

for (const enabled of ['auto', true] as const) {
  test(`no daemon is started: daemon.enabled=${enabled}`, async () => {
    const { plan } = await select(makeFacts(), makeConfig({ strategy: 'prefix', 'daemon.enabled': enabled }));
    assert.equal(plan?.strategy, 'prefix');
    assert.deepEqual(stepsOf(plan?.steps ?? [], 'listen'), []);
  });
}

test('nobody gets it without asking', () => {
  const names = candidates(makeConfig({ strategy: 'auto' }));
  assert.equal(names.includes('prefix'), false);
});

const works: [string, Partial<Facts>][] = [
  ['no privilege', { root: false, sysAdmin: false }],
  ['no image store', { storeDir: false, stateDir: false }],
  ['a read-only root', { stateReadOnly: true, runReadOnly: true }],
  ['a volume without extended attributes', { volume: makeVolume({ fileSystem: '9p' }) }],
  ['a volume on overlayfs', { volume: makeVolume({ fileSystem: 'overlay', mounted: false }) }],
  ['a volume that an overlay uses', { volume: makeVolume({ hasUpper: true }) }],
];

for (const [name, facts] of works) {
  test(`it works with ${name}`, () =>
    assert.equal(prefix.unsupported(makeFacts(facts), makeConfig()), undefined));
}

type Refused = [string, Partial<Facts>, Partial<Config>, Parameters<typeof isInitError>[0]];

const notMine: Partial<Facts> = {
  root: false,
  credentials: { ...makeFacts().credentials, uids: [1000, 1000, 1000] },
  writable: { store: true, volume: false, nixConf: false },
};

const refused: Refused[] = [
  [
    'no volume',
    { volume: { kind: 'missing' } },
    {},
    { exitCode: 78, errno: 'ENOENT', remedy: 'docker run -v cache:/nix-cache' },
  ],
  ['a file', { volume: { kind: 'not a directory' } }, {}, { exitCode: 78, errno: 'ENOTDIR' }],
  [
    'a read-only volume',
    { volume: makeVolume({ readOnly: true }) },
    {},
    { exitCode: 74, errno: 'EROFS', remedy: 'mount the volume read-write' },
  ],
  [
    'a volume of somebody else',
    notMine,
    {},
    {
      exitCode: 77,
      errno: 'EACCES',
      what: 'user 1000 cannot write to /nix-cache',
      remedy: 'docker run --user root -v cache:/nix-cache --entrypoint chown IMAGE 1000 /nix-cache',
    },
  ],
  ['access=read-only', {}, { access: 'read-only' }, { exitCode: 78, errno: 'EROFS', remedy: /read-write/ }],
  [
    'the key user',
    {},
    { user: 'alice' },
    { exitCode: 78, errno: 'EACCES', remedy: 'leave the key user out: docker run --user alice' },
  ],
  ['the root directory', {}, { cacheDir: '/' }, { exitCode: 78, errno: 'EINVAL', remedy: /elsewhere/ }],
  [
    'a state in the store, of which Nix would collect it',
    {},
    { ...opt, stateDir: '/opt/store/var' },
    { exitCode: 78, errno: 'EINVAL', what: '/opt, /opt/store and /opt/store/var overlap' },
  ],
  [
    'a store in the state',
    {},
    { cacheDir: '/opt', storeDir: '/opt/x/store', stateDir: '/opt/x' },
    { exitCode: 78, errno: 'EINVAL' },
  ],
];

for (const [name, facts, config, expected] of refused) {
  test(`it is refused: ${name}`, () => {
    const reason = prefix.unsupported(makeFacts(facts), makeConfig(config));
    assert.ok(reason);
    isInitError(expected)(refusal(reason));
  });
}

test('what does not work is said for each kind of store', () => {
  const whats = (config: Partial<Config>) => prefixLimits(makeConfig(config)).map(({ what }) => what);
  assert.deepEqual(whats({}), [
    'building without user namespaces',
    'running programs of the store by their path',
    'nix develop',
  ]);
  assert.deepEqual(whats({ cacheDir: '/opt/nix', storeDir: '/opt/nix/store' }), [
    'binary caches of /nix/store',
  ]);
  assert.deepEqual(whats(opt), ['binary caches of /nix/store', 'upgrading nix-cache-init with the image']);
  assert.deepEqual(whats({ cacheDir: '/nix' }), []);
});
