import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../../src/config/keys.ts';
import type { ExitCode } from '../../../src/errors.ts';
import type { Facts } from '../../../src/store/facts.ts';
import { overlay } from '../../../src/store/overlay.ts';
import { refusal } from '../../../src/store/select.ts';
import { isInitError, makeConfig, makeFacts, makeVolume } from '../fixtures.ts';

type Case = {
  name: string;
  facts: Partial<Facts>;
  exitCode: ExitCode;
  stage: string;
  errno: string;
  what: string | RegExp;
  remedy: RegExp;
};

const cases: Case[] = [
  {
    name: 'no volume',
    facts: { volume: { kind: 'missing' } },
    exitCode: 78,
    stage: 'facts',
    errno: 'ENOENT',
    what: '/nix-cache does not exist',
    remedy: /docker run -v .+:\/nix-cache/,
  },
  {
    name: 'a file in the place of the volume',
    facts: { volume: { kind: 'not a directory' } },
    exitCode: 78,
    stage: 'facts',
    errno: 'ENOTDIR',
    what: '/nix-cache is not a directory',
    remedy: /docker run -v .+:\/nix-cache/,
  },
  {
    name: 'nothing mounted, in a container on overlayfs',
    facts: { volume: makeVolume({ mounted: false, fileSystem: 'overlay' }) },
    exitCode: 78,
    stage: 'facts',
    errno: 'EINVAL',
    what: 'nothing is mounted at /nix-cache',
    remedy: /docker run -v .+:\/nix-cache/,
  },
  {
    name: 'a volume on overlayfs',
    facts: { volume: makeVolume({ fileSystem: 'overlay' }) },
    exitCode: 78,
    stage: 'facts',
    errno: 'EINVAL',
    what: /^\/nix-cache is on overlayfs/,
    remedy: /docker run -v/,
  },
  {
    name: 'a read-only volume',
    facts: { volume: makeVolume({ readOnly: true }) },
    exitCode: 74,
    stage: 'facts',
    errno: 'EROFS',
    what: '/nix-cache is mounted read-only',
    remedy: /read-write, or set access=read-only$/,
  },
  {
    name: 'no store',
    facts: { storeDir: false },
    exitCode: 78,
    stage: 'facts',
    errno: 'ENOENT',
    what: '/nix/store does not exist',
    remedy: /mkdir -p \/nix\/store/,
  },
  {
    name: 'no CAP_SYS_ADMIN',
    facts: { sysAdmin: false },
    exitCode: 77,
    stage: 'mount',
    errno: 'EPERM',
    what: /CAP_SYS_ADMIN/,
    remedy: /--cap-add SYS_ADMIN --security-opt apparmor=unconfined/,
  },
];

const why = (facts: Partial<Facts>, config: Partial<Config> = {}) =>
  overlay.unsupported(makeFacts(facts), makeConfig(config));

for (const { name, facts, ...expected } of cases) {
  test(`${name}: ${expected.exitCode} ${expected.errno} with a remedy`, () => {
    const reason = why(facts);
    assert.ok(reason);
    isInitError(expected)(refusal(reason));
  });
}

test('who only reads is content with a read-only volume, and with nothing less', () => {
  const reading = { access: 'read-only' } as const;
  assert.equal(why({ volume: makeVolume({ readOnly: true }) }, reading), undefined);
  assert.equal(why({ volume: { kind: 'missing' } }, reading)?.errno, 'ENOENT');
  assert.equal(why({ volume: makeVolume({ readOnly: true }), sysAdmin: false }, reading)?.errno, 'EPERM');
  // Locked is another matter.
  const polite = { onLocked: 'read-only' } as const;
  assert.equal(why({ volume: makeVolume({ readOnly: true }) }, polite)?.errno, 'EROFS');
});

const good: [string, Partial<Facts>][] = [
  ['everything there', {}],
  ['a volume that is not mounted, on a disk', { volume: makeVolume({ mounted: false }) }],
  ['a user namespace', { userNamespace: true }],
  ['not root, but SYS_ADMIN', { root: false }],
  ['no Nix state yet', { stateDir: false }],
  ['a read-only root', { stateReadOnly: true, runReadOnly: true }],
  ['no daemon', { daemon: { path: undefined, socket: '/s' } }],
];

for (const [name, facts] of good) test(`it works with ${name}`, () => assert.equal(why(facts), undefined));

test('the volume is looked at before privileges: its message is the one that helps', () => {
  const nothing = { sysAdmin: false, storeDir: false } as const;
  assert.equal(why({ ...nothing, volume: { kind: 'missing' } })?.errno, 'ENOENT');
  assert.equal(why({ ...nothing, volume: makeVolume({ readOnly: true }) })?.errno, 'EROFS');
});

test('the messages name the directories of the configuration', () => {
  assert.equal(why({ volume: { kind: 'missing' } }, { cacheDir: '/data' })?.what, '/data does not exist');
  const store = why({ storeDir: false }, { storeDir: '/gnu/store' });
  assert.equal(store?.what, '/gnu/store does not exist');
  assert.match(store?.remedy ?? '', /\/gnu\/store/);
});

test('so does the remedy for a missing volume', () => {
  assert.match(why({ volume: { kind: 'missing' } }, { cacheDir: '/data' })?.remedy ?? '', /-v \S+:\/data$/);
});

// Either way round init would have the volume and what it lays over it hide each other.
const overlaps: [string, Partial<Config>][] = [
  ['the store itself', { cacheDir: '/nix/store' }],
  ['the state itself', { cacheDir: '/nix/var/nix' }],
  ['inside the store', { cacheDir: '/nix/store/cache' }],
  ['inside the state', { cacheDir: '/nix/var/nix/cache' }],
  ['around both', { cacheDir: '/nix' }],
  ['around the state alone', { cacheDir: '/nix/var' }],
  ['around a store elsewhere', { cacheDir: '/gnu', storeDir: '/gnu/store' }],
];

for (const [name, config] of overlaps) {
  test(`a volume ${name} is refused with 78`, () => {
    const { cacheDir, storeDir, stateDir } = makeConfig(config);
    const reason = why({}, config);
    assert.ok(reason);
    const what = `${cacheDir} overlaps ${storeDir} or ${stateDir}`;
    isInitError({ exitCode: 78, stage: 'facts', errno: 'EINVAL', what, remedy: 'set cacheDir elsewhere' })(
      refusal(reason),
    );
  });
}

for (const cacheDir of ['/nix/store2', '/nix/var/nix-cache', '/nix/cache', '/ni', '/nix-cache/store']) {
  test(`a volume at ${cacheDir} overlaps nothing`, () => assert.equal(why({}, { cacheDir }), undefined));
}
