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
    remedy: /read-write/,
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
  {
    name: 'no overlayfs in the kernel',
    facts: { overlayInKernel: false },
    exitCode: 77,
    stage: 'mount',
    errno: 'ENODEV',
    what: /overlayfs/,
    remedy: /modprobe overlay/,
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
  assert.equal(
    why({ sysAdmin: false, overlayInKernel: false, volume: { kind: 'missing' } })?.errno,
    'ENOENT',
  );
});

test('the messages name the directories of the configuration', () => {
  assert.equal(why({ volume: { kind: 'missing' } }, { cacheDir: '/data' })?.what, '/data does not exist');
  const store = why({ storeDir: false }, { storeDir: '/gnu/store' });
  assert.equal(store?.what, '/gnu/store does not exist');
  assert.match(store?.remedy ?? '', /\/gnu\/store/);
});

test('so does the remedy for a missing volume', { todo: 'it always says /nix-cache' }, () => {
  assert.match(why({ volume: { kind: 'missing' } }, { cacheDir: '/data' })?.remedy ?? '', /-v \S+:\/data/);
});
