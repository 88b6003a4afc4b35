import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../../src/config/keys.ts';
import type { ExitCode } from '../../../src/errors.ts';
import type { Facts } from '../../../src/store/facts.ts';
import type { Step } from '../../../src/store/plan.ts';
import { refusal } from '../../../src/store/select.ts';
import { substituter } from '../../../src/store/substituter.ts';
import { isInitError, makeConfig, makeFacts, makeVolume } from '../fixtures.ts';
import { assertOrder, only, stepsOf } from './steps.ts';

const able = { store: true, volume: true, nixConf: true, userConfDir: '/etc/xdg/nix' };
const steps = (facts: Partial<Facts> = {}, config: Partial<Config> = {}): Step[] =>
  substituter.plan(makeFacts(facts), makeConfig(config));

type Refusal = { exitCode: ExitCode; errno: string; what: string | RegExp; remedy: RegExp };

const refused: [string, Partial<Facts>, Partial<Config>, Refusal][] = [
  [
    'no volume',
    { volume: { kind: 'missing' } },
    {},
    { exitCode: 78, errno: 'ENOENT', what: '/nix-cache does not exist', remedy: /docker run -v/ },
  ],
  [
    'a volume that is none',
    { volume: makeVolume({ mounted: false }) },
    {},
    { exitCode: 78, errno: 'EINVAL', what: 'nothing is mounted at /nix-cache', remedy: /docker run -v/ },
  ],
  [
    'a volume in the store',
    {},
    { cacheDir: '/nix/store/x' },
    { exitCode: 78, errno: 'EINVAL', what: /overlaps/, remedy: /cacheDir/ },
  ],
  [
    'a name that is no store URI',
    {},
    { cacheDir: '/my cache' },
    { exitCode: 78, errno: 'EINVAL', what: /store URI/, remedy: /cacheDir/ },
  ],
  [
    'a read-only volume',
    { volume: makeVolume({ readOnly: true }) },
    {},
    { exitCode: 74, errno: 'EROFS', what: /read-only/, remedy: /access=read-only/ },
  ],
  [
    'no Nix',
    { nix: { nix: undefined, nixStore: undefined } },
    {},
    { exitCode: 78, errno: 'ENOENT', what: 'nix-store was not found', remedy: /install Nix/ },
  ],
  [
    'only the old programs of Nix',
    { nix: { nix: undefined, nixStore: '/bin/nix-store' } },
    {},
    { exitCode: 78, errno: 'ENOENT', what: 'nix was not found', remedy: /install Nix/ },
  ],
  [
    'no store',
    { storeDir: false },
    {},
    { exitCode: 78, errno: 'ENOENT', what: '/nix/store does not exist', remedy: /install Nix/ },
  ],
  [
    "somebody else's store",
    { writable: { ...able, store: false } },
    {},
    { exitCode: 77, errno: 'EACCES', what: /uid 0 cannot write to \/nix\/store/, remedy: /--user root/ },
  ],
  [
    'a read-only root',
    { stateReadOnly: true, writable: { ...able, store: false } },
    {},
    { exitCode: 78, errno: 'EROFS', what: /read-only/, remedy: /-v nix:\/nix/ },
  ],
  [
    "somebody else's volume",
    { writable: { ...able, volume: false } },
    {},
    { exitCode: 77, errno: 'EACCES', what: /cannot write to \/nix-cache/, remedy: /chown 0 \/nix-cache/ },
  ],
];

for (const [name, facts, config, expected] of refused) {
  test(`${name} is refused with ${expected.exitCode}`, () => {
    const why = substituter.unsupported(makeFacts(facts), makeConfig(config));
    assert.ok(why);
    isInitError({ ...expected, stage: 'facts' })(refusal(why));
  });
}

const fine: [string, Partial<Facts>, Partial<Config>][] = [
  ['everything', {}, {}],
  ['no privilege', { sysAdmin: false, root: false }, {}],
  ['a volume that cannot be an upper', { volume: makeVolume({ fileSystem: 'overlay' }) }, {}],
  ['nix.conf of somebody else', { writable: { ...able, nixConf: false } }, {}],
  [
    'a read-only volume to read',
    { volume: makeVolume({ readOnly: true }), writable: { ...able, volume: false } },
    { access: 'read-only' },
  ],
];

for (const [name, facts, config] of fine) {
  test(`${name} will do`, () =>
    assert.equal(substituter.unsupported(makeFacts(facts), makeConfig(config)), undefined));
}

test('the volume is locked before anything is written to it, and the command finds everything restored', () => {
  assertOrder(
    steps(),
    { do: 'mkdir', path: '/nix-cache/.nix-cache-init' },
    { do: 'lock' },
    { do: 'binary-cache', cache: '/nix-cache/binary-cache' },
    { do: 'substituter' },
    { do: 'keep-paths' },
  );
});

for (const [onLocked, waitMs, orRead] of [
  ['fail', 0, false],
  ['wait', 7000, false],
  ['read-only', 0, true],
] as const) {
  test(`locked, with onLocked=${onLocked}`, () => {
    const lock = only(steps({}, { onLocked, lockTimeout: 7000 }), 'lock');
    assert.deepEqual([lock.waitMs, lock.orRead], [waitMs, orRead]);
  });
}

test('who only reads takes no lock, and writes nothing to the volume', () => {
  const reading = steps({}, { access: 'read-only' });
  assert.deepEqual(
    reading.map((step) => step.do),
    ['binary-cache', 'substituter', 'keep-paths'],
  );
  for (const step of reading) assert.ok('readOnly' in step && step.readOnly);
});

test('nothing is mounted', () => {
  const mounting = ['tmpfs', 'bind', 'overlay', 'bind-each', 'nix-conf'];
  assert.deepEqual(
    steps().filter(({ do: kind }) => mounting.includes(kind)),
    [],
  );
});

const include = '!include /nix/var/nix/nix-cache-init/nix.conf';
const conf = { dir: '/etc/nix', kind: 'file', readOnly: true } as const;
const denied: Partial<Facts> = { writable: { ...able, nixConf: false }, nixConf: conf };

test('where nix.conf can be written, it says everything', () => {
  assert.deepEqual(stepsOf(steps(), 'environment'), []);
  assert.equal(only(steps(), 'substituter').userConfDir, '/etc/xdg/nix');
  assert.deepEqual(substituter.daemon?.(makeFacts(), makeConfig()), {});
});

test('where it cannot, a variable says so to the command and to the daemon', () => {
  assert.deepEqual(only(steps(denied), 'environment').variables, { NIX_CONFIG: include });
  assert.deepEqual(substituter.daemon?.(makeFacts(denied), makeConfig()), { env: { NIX_CONFIG: include } });
  assert.equal(only(steps(denied), 'substituter').userConfDir, undefined);
});

test('what the variable says already stays', () => {
  const facts = { ...denied, nixConf: { ...conf, variable: 'cores = 2' } };
  assert.equal(only(steps(facts), 'environment').variables['NIX_CONFIG'], `cores = 2\n${include}`);
});

test('a user who is not trusted is not made to say what only the daemon may', () => {
  assert.deepEqual(stepsOf(steps(denied, { user: 'alice' }), 'environment'), []);
});
