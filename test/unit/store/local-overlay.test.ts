import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../../src/config/keys.ts';
import type { ExitCode } from '../../../src/errors.ts';
import type { Facts } from '../../../src/store/facts.ts';
import { localOverlay } from '../../../src/store/local-overlay.ts';
import type { Step } from '../../../src/store/plan.ts';
import { refusal, select } from '../../../src/store/select.ts';
import { isInitError, makeConfig, makeFacts, makeHost, makeVolume } from '../fixtures.ts';
import { assertOrder, only, overlaySteps, stepsOf } from './steps.ts';

const below = 'unix:///run/snix.sock?real=/snix/store';
const answers = { directory: true, daemon: makeHost().daemon };

const steps = (facts: Partial<Facts> = {}, config: Partial<Config> = {}): Step[] =>
  localOverlay.plan(makeFacts(facts), makeConfig(config));

test('the layers, the lock and the reconcile are those of overlay', () => {
  const ours = steps();
  assert.deepEqual(only(ours, 'overlay'), only(overlaySteps(), 'overlay'));
  assert.deepEqual(stepsOf(ours, 'lock'), stepsOf(overlaySteps(), 'lock'));
  assert.deepEqual(only(ours, 'reconcile'), {
    ...only(overlaySteps(), 'reconcile'),
    strategy: 'local-overlay',
  });
});

test('clients ask the daemon: by a variable, and by nix.conf for who inherits none', () => {
  assert.deepEqual(only(steps(), 'environment').variables, { NIX_REMOTE: 'daemon' });
  const { settings } = only(steps(), 'nix-conf');
  assert.deepEqual(settings, { ...only(overlaySteps(), 'nix-conf').settings, store: 'daemon' });
});

test('the lower store’s state is the image’s database, in directories that can be written', () => {
  const state = '/run/nix-cache-init/lower/nix';
  assertOrder(
    steps(),
    { do: 'bind', target: '/run/nix-cache-init/lower/state' },
    { do: 'mkdir', path: `${state}/db` },
    { do: 'bind', source: '/run/nix-cache-init/lower/state/db', target: `${state}/db`, readOnly: true },
  );
});

test('what Nix wants in the image’s store is made before that is bound aside', () => {
  const links = { do: 'mkdir', path: '/nix/store/.links' };
  assertOrder(steps({ storeLinks: false }), links, { do: 'bind', target: '/run/nix-cache-init/lower/store' });
  for (const facts of [{ storeLinks: true }, { storeLinks: false, stateReadOnly: true }])
    assert.equal(
      stepsOf(steps(facts), 'mkdir').some(({ path }) => path === links.path),
      false,
    );
});

test('another daemon’s store lies below the image’s, and is known to reconcile', () => {
  const ours = steps({ lowerStore: answers }, { lowerStore: below });
  assert.deepEqual(only(ours, 'overlay').lower, [
    '/run/nix-cache-init/lower/store',
    '/run/nix-cache-init/scratch/mask',
    '/snix/store',
  ]);
  assertOrder(
    ours,
    { do: 'tmpfs' },
    { do: 'mask', of: '/run/nix-cache-init/lower/store' },
    { do: 'overlay' },
  );
  assert.deepEqual(only(ours, 'reconcile').below, ['/snix/store']);
  assert.equal(
    stepsOf(ours, 'bind').some(({ target }) => target.includes('lower/nix')),
    false,
  );
});

test('further lowers lie below the image’s store as those of overlay do', () => {
  const lowers = ['/m/store'];
  const facts = { lowers: [{ store: '/m/store', there: true, database: true }] };
  const [ours, theirs] = [steps(facts, { lowers }), overlaySteps(facts, { lowers })];
  assert.deepEqual(only(ours, 'overlay'), only(theirs, 'overlay'));
  assert.ok(only(ours, 'overlay').lower.includes('/run/nix-cache-init/lower/1'));
  assert.deepEqual(only(ours, 'reconcile').lowers, only(theirs, 'reconcile').lowers);
});

/** The parameters of the store that the daemon is given. */
function store(facts: Partial<Facts> = {}, config: Partial<Config> = {}): Record<string, string> {
  const start = localOverlay.daemon?.(makeFacts(facts), makeConfig(config));
  assert.ok(start !== undefined && start !== 'none');
  const [flag, uri = '', ...more] = start.args ?? [];
  assert.deepEqual([flag, more], ['--store', []]);
  assert.deepEqual(start.nixConfig, [
    'extra-experimental-features = local-overlay-store read-only-local-store',
  ]);
  assert.match(uri, /^local-overlay:\/\/\?/);
  const pairs = uri.replace('local-overlay://?', '').split('&');
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name = '', value = ''] = pair.split('=');
      return [name, decodeURIComponent(value)];
    }),
  );
}

const imageUri =
  'local?store=/nix/store&real=/run/nix-cache-init/lower/store&state=/run/nix-cache-init/lower/nix&read-only=true';

test('the daemon’s store: the image’s below, read-only, the volume’s above', () => {
  assert.deepEqual(store(), {
    store: '/nix/store',
    real: '/nix/store',
    state: '/nix/var/nix',
    'lower-store': imageUri,
    'upper-layer': '/nix-cache/upper',
    'check-mount': 'true',
    'remount-hook': '/opt/nix-cache-init/bin/remount',
  });
});

test('before Nix 2.34 the lower store’s URI is decoded twice', () => {
  const lower = (nixVersion: string): string => store({ nixVersion })['lower-store'] ?? '';
  for (const version of ['2.22.0', '2.26.3', '2.33.6'])
    assert.equal(decodeURIComponent(lower(version)), imageUri, version);
  assert.notEqual(lower('2.26.3'), imageUri);
  for (const version of ['2.34.0', '2.34.8', '2.35.1', '3.0'])
    assert.equal(lower(version), imageUri, version);
});

test('the user’s URI of another daemon’s store is handed on as it is', () => {
  const uri = 'unix:///run/a%20b?real=/c%26d&max-connections=2';
  const given = store({ lowerStore: answers }, { lowerStore: uri });
  assert.equal(given['lower-store'], uri);
});

const unchecked: [string, Partial<Facts>, Partial<Config>][] = [
  ['two lower directories', { lowerStore: answers }, { lowerStore: below }],
  ['further lowers', {}, { lowers: ['/m/store'] }],
  ['a reader, who has more', {}, { access: 'read-only' }],
  ['a name that is a regular expression', {}, { cacheDir: '/a+b' }],
  ['a name that /proc/mounts escapes', {}, { cacheDir: '/a b' }],
  ['a store without .links that cannot be written', { storeLinks: false, stateReadOnly: true }, {}],
];

for (const [what, facts, config] of unchecked)
  test(`Nix could not find its mount: ${what}`, () =>
    assert.equal(store(facts, config)['check-mount'], 'false'));

test('a reader’s upper layer is its own, and every directory comes from the configuration', () => {
  assert.equal(store({}, { access: 'read-only' })['upper-layer'], '/run/nix-cache-init/scratch/upper');
  const given = store({}, { cacheDir: '/data & more', storeDir: '/s/store', stateDir: '/s/state' });
  assert.equal(given['upper-layer'], '/data & more/upper');
  assert.deepEqual([given['store'], given['real'], given['state']], ['/s/store', '/s/store', '/s/state']);
});

test('a store of which Nix cannot be shown the image’s own directory is shown the one above', () => {
  const lower = store({ storeLinks: false, stateReadOnly: true })['lower-store'];
  assert.equal(lower, imageUri.replace('/run/nix-cache-init/lower/store', '/nix/store'));
});

test('it listens for its daemon like any other', async () => {
  const { plan } = await select(makeFacts(), makeConfig({ strategy: 'local-overlay' }));
  const { args, nixConfig } = only(plan?.steps ?? [], 'listen');
  assert.equal(args?.[0], '--store');
  assert.equal(nixConfig?.length, 1);
});

type Case = {
  name: string;
  facts?: Partial<Facts>;
  config?: Partial<Config>;
  exitCode?: ExitCode;
  errno: string;
  what: RegExp;
  remedy: RegExp;
};

/** How the daemon of a lower store can fail to be one, and what mends it. */
const away: [string, RegExp, ExitCode?][] = [
  ['ENOENT', /^mount .* docker run -v DIRECTORY:\/run$/],
  ['ECONNREFUSED', /^start .* docker run -v DIRECTORY:\/run$/],
  ['ETIMEDOUT', /^restart the daemon/],
  ['ECONNRESET', /allowed-users/],
  ['EPROTONOSUPPORT', /^update/],
  ['EPROTO', /^name the socket of a nix-daemon/],
  ['EACCES', /chmod 0666 \/run\/snix\.sock$/, 77],
];

const awayCases = away.map(
  ([errno, remedy, exitCode = 78]): Case => ({
    name: `a lower store whose daemon is away, ${errno}`,
    facts: { lowerStore: { directory: true, daemon: { kind: 'no daemon', what: 'is so', errno } } },
    config: { lowerStore: below },
    exitCode,
    errno,
    what: /^the socket of the lower store's daemon, \/run\/snix\.sock, is so$/,
    remedy,
  }),
);

const cases: Case[] = [
  {
    name: 'no volume, as overlay would say it',
    facts: { volume: { kind: 'missing' } },
    errno: 'ENOENT',
    what: /^\/nix-cache does not exist$/,
    remedy: /docker run -v/,
  },
  {
    name: 'a daemon that is not to run',
    config: { 'daemon.enabled': false },
    errno: 'EINVAL',
    what: /^local-overlay works through nix-daemon$/,
    remedy: /^set daemon\.enabled=auto$/,
  },
  {
    name: 'no daemon',
    facts: { daemon: { path: undefined, socket: '/s' } },
    config: { 'daemon.command': 'other-daemon' },
    errno: 'ENOENT',
    what: /^other-daemon was not found$/,
    remedy: /install Nix/,
  },
  {
    name: 'an init that is not root',
    facts: { root: false },
    exitCode: 77,
    errno: 'EPERM',
    what: /nix-daemon of root/,
    remedy: /--user root/,
  },
  {
    name: 'a Nix that is too old',
    facts: { nixVersion: '2.21.4' },
    errno: 'ENOTSUP',
    what: /^Nix 2\.21\.4 has no local-overlay store$/,
    remedy: /Nix 2\.22 or newer, or strategy=overlay$/,
  },
  {
    name: 'a Nix of which nobody knows how old it is',
    facts: { nixVersion: null },
    errno: 'ENOTSUP',
    what: /^\/bin\/nix-daemon does not tell the version of Nix$/,
    remedy: /2\.22 or newer/,
  },
  {
    name: 'an image without a database',
    facts: { imageDatabase: 'missing' },
    errno: 'EINVAL',
    what: /^the image has no Nix database in \/nix\/var\/nix$/,
    remedy: /RUN nix-store --init$/,
  },
  {
    name: 'an image with part of its database in the log',
    facts: { imageDatabase: 'unwritten' },
    errno: 'EINVAL',
    what: /write-ahead log alone$/,
    remedy: /RUN nix-store --init$/,
  },
  ...awayCases,
  {
    name: 'a lower store without its directory',
    facts: { lowerStore: { ...answers, directory: false } },
    config: { lowerStore: below },
    errno: 'ENOENT',
    what: /^\/snix\/store, of lowerStore, does not exist$/,
    remedy: /docker run -v \S+:\/snix\/store:ro$/,
  },
  {
    name: 'a lower store whose path no mount option has room for, beside those of ours',
    facts: { lowerStore: answers },
    config: { lowerStore: `unix:///run/snix.sock?real=/${'x'.repeat(3950)}` },
    errno: 'E2BIG',
    what: /^the overlay would need 4\d{3} bytes of options, of which the kernel takes 4095$/,
    remedy: /^mount the lower store at a shorter path, or a shorter cacheDir$/,
  },
  {
    name: 'our own daemon as the lower store',
    facts: { lowerStore: answers, daemon: { path: '/bin/nix-daemon', socket: '/run/snix.sock' } },
    config: { lowerStore: below },
    errno: 'ELOOP',
    what: /our own nix-daemon/,
    remedy: /name the other/,
  },
  {
    name: 'another daemon below, for who only reads',
    facts: { lowerStore: answers },
    config: { lowerStore: below, access: 'read-only' },
    errno: 'EINVAL',
    what: /read-write only/,
    remedy: /unset lowerStore/,
  },
  {
    name: 'another daemon below, together with further lowers',
    facts: { lowerStore: answers, lowers: [{ store: '/m/store', there: true, database: true }] },
    config: { lowerStore: below, lowers: ['/m/store'] },
    errno: 'EINVAL',
    what: /^lowerStore does not work together with lowers$/,
    remedy: /^unset lowerStore, or lowers$/,
  },
];

const why = (facts: Partial<Facts> = {}, config: Partial<Config> = {}) =>
  localOverlay.unsupported(makeFacts(facts), makeConfig(config));

for (const { name, facts, config, exitCode = 78, ...expected } of cases) {
  test(`${name}: ${exitCode} ${expected.errno} with a remedy`, () => {
    const reason = why(facts, config);
    assert.ok(reason);
    isInitError({ exitCode, ...expected })(refusal(reason));
  });
}

const good: [string, Partial<Facts>, Partial<Config>][] = [
  ['everything there', {}, {}],
  ['the first Nix that has it', { nixVersion: '2.22.0' }, {}],
  ['a Nix of a later century', { nixVersion: '3.1' }, {}],
  ['a command that is a user’s', {}, { user: 'alice' }],
  ['a reader', { volume: makeVolume({ readOnly: true }) }, { access: 'read-only' }],
  [
    'another daemon below, and an image without a database',
    { lowerStore: answers, imageDatabase: 'missing' },
    { lowerStore: below },
  ],
  [
    'a lower store with a path that just fits',
    { lowerStore: answers },
    { lowerStore: `unix:///run/snix.sock?real=/${'x'.repeat(3800)}` },
  ],
  ['a read-only root', { stateReadOnly: true, runReadOnly: true }, {}],
];

for (const [name, facts, config] of good)
  test(`it works with ${name}`, () => assert.equal(why(facts, config), undefined));

test('what costs anything to find out is not asked for by another strategy', async () => {
  const asked: string[] = [];
  const facts = { ...makeFacts() };
  for (const name of ['nixVersion', 'imageDatabase', 'storeLinks', 'lowerStore'] as const)
    Object.defineProperty(facts, name, {
      get: () => {
        asked.push(name);
        return undefined;
      },
    });
  await select(facts, makeConfig());
  assert.deepEqual(asked, []);
});
