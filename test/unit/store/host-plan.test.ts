import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExitCode } from '../../../src/errors.ts';
import type { Facts } from '../../../src/store/facts.ts';
import { host } from '../../../src/store/host.ts';
import type { HostFacts } from '../../../src/store/host-facts.ts';
import type { Step } from '../../../src/store/plan.ts';
import { refusal, select } from '../../../src/store/select.ts';
import { isInitError, makeConfig, makeFacts, makeHost } from '../fixtures.ts';
import { assertOrder, only, stepsOf } from './steps.ts';

const onHost = (changes: Partial<HostFacts> = {}, facts: Partial<Facts> = {}): Facts =>
  makeFacts({ volume: { kind: 'missing' }, sysAdmin: false, host: makeHost(changes), ...facts });

const config = makeConfig({ strategy: 'host', onUnsupported: 'fail' });

const stepsFor = (changes?: Partial<HostFacts>, facts?: Partial<Facts>): Step[] =>
  host.plan(onHost(changes, facts), config);

const warnings = (changes?: Partial<HostFacts>, facts?: Partial<Facts>): string[] =>
  stepsOf(stepsFor(changes, facts), 'warn').map(({ text }) => text);

const daemon = makeHost().daemon;

test('it needs neither a volume nor a privilege, and mounts nothing', async () => {
  const { plan } = await select(onHost(), config);
  assert.deepEqual(
    plan?.steps.map((step) => step.do),
    ['warn', 'environment'],
  );
  assert.deepEqual(only(plan?.steps ?? [], 'environment').variables, { NIX_REMOTE: 'daemon' });
});

test('no daemon of ours is started, however much it is asked for', async () => {
  const { plan } = await select(onHost(), makeConfig({ ...config, 'daemon.enabled': true }));
  assert.deepEqual(stepsOf(plan?.steps ?? [], 'listen'), []);
});

const no = (errno: string, what = 'does something'): Partial<HostFacts> => ({
  daemon: { kind: 'no daemon', what, errno },
});

const refusals: [string, Partial<HostFacts>, ExitCode, string, RegExp, RegExp][] = [
  ['a store of the image', { mounted: 'no' }, 78, 'EINVAL', /image's own/, /-v \/nix\/store:\/nix\/store:ro/],
  ['a store that can be written', { mounted: 'writable' }, 78, 'EINVAL', /writable/, /:\/nix\/store:ro/],
  [
    'no socket',
    no('ENOENT', 'is not there'),
    78,
    'ENOENT',
    /socket, is not there/,
    /-v \S+:\/nix\/var\/nix\/daemon-socket$/,
  ],
  ['nobody who listens', no('ECONNREFUSED'), 78, 'ECONNREFUSED', /socket/, /systemctl start nix-daemon/],
  ['a wedged daemon', no('ETIMEDOUT'), 78, 'ETIMEDOUT', /socket/, /systemctl restart nix-daemon/],
  ['a daemon for others', no('ECONNRESET'), 78, 'ECONNRESET', /socket/, /allowed-users/],
  ['an old daemon', no('EPROTONOSUPPORT'), 78, 'EPROTONOSUPPORT', /socket/, /update Nix/],
  ['something else', no('EPROTO'), 78, 'EPROTO', /socket/, /docker run -v/],
  ['a socket for others', no('EACCES'), 77, 'EACCES', /socket/, /chmod/],
  [
    'the store of another machine',
    { asked: 32, daemon: { ...daemon, valid: [] } as HostFacts['daemon'] },
    78,
    'EXDEV',
    /knows none of 32 paths/,
    /mount both from one/,
  ],
];

for (const [name, changes, exitCode, errno, what, remedy] of refusals) {
  test(`${name}: ${exitCode} ${errno} with a remedy`, () => {
    const reason = host.unsupported(onHost(changes), config);
    assert.ok(reason);
    isInitError({ exitCode, errno, what, remedy })(refusal(reason));
  });
}

test('no store at all is refused, an empty one of a new host is not', () => {
  assert.equal(host.unsupported(onHost({}, { storeDir: false }), config)?.errno, 'ENOENT');
  const empty = { asked: 0, daemon: { ...daemon, valid: [] } as HostFacts['daemon'] };
  assert.equal(host.unsupported(onHost(empty), config), undefined);
});

const trust: [string, boolean | null, RegExp][] = [
  ['does not trust us', false, /through its nix-daemon$/],
  ['trusts us', true, /trusts this user: that is as good as being root on the host$/],
  ['does not say', null, /does not say whether it trusts this user/],
];

for (const [name, trusted, text] of trust) {
  test(`a daemon that ${name}: the price is said once`, () => {
    const said = warnings({ daemon: { ...daemon, trusted } as HostFacts['daemon'] });
    assert.equal(said.length, 1);
    assert.match(said[0] ?? '', text);
  });
}

test('a socket mounted by itself, and lost programs, are said', () => {
  const [, socket = '', lost = ''] = warnings({ socketAlone: true, lost: ['/bin/sh', '/p/bin'] });
  assert.match(socket, /mount its directory instead/);
  assert.match(lost, /lost are \/bin\/sh, \/p\/bin/);
});

test('shells of docker exec: nix.conf where mounting is allowed, a line where not, nothing for who is not root', () => {
  const unset = { remote: undefined };
  const conf = only(stepsFor(unset, { sysAdmin: true }), 'nix-conf');
  assert.deepEqual(conf.settings, { store: 'daemon' });
  assert.match(('orWarn' in conf && conf.orWarn) || '', /-e NIX_REMOTE=daemon/);
  assert.match(warnings(unset)[1] ?? '', /-e NIX_REMOTE=daemon/);
  assert.deepEqual(warnings(unset, { root: false }).length, 1);
  assert.deepEqual(stepsOf(stepsFor(unset, { sysAdmin: true, runReadOnly: true }), 'tmpfs').length, 1);
});

test('what a killed boot left is undone first, and what is mounted is claimed before it is', () => {
  const steps = stepsFor({ remote: undefined }, { sysAdmin: true, leftovers: ['/etc/nix/nix.conf'] });
  assert.deepEqual(steps[0], {
    do: 'unmount',
    targets: ['/etc/nix/nix.conf'],
    claim: '/run/nix-cache-init/lock',
  });
  assertOrder(steps, { do: 'lock', of: 'mounts', path: '/run/nix-cache-init/lock' }, { do: 'nix-conf' });
  assert.equal(stepsFor({}, { leftovers: ['/etc/nix/nix.conf'] })[0]?.do, 'warn');
});

test("another daemon's socket is never taken, except where a state directory of ours hides it", async () => {
  const facts = (changes: Partial<Facts> = {}): Facts => makeFacts({ socketMounted: true, ...changes });
  const listens = async (strategy: 'overlay' | 'none' | 'auto', changes?: Partial<Facts>): Promise<number> =>
    stepsOf((await select(facts(changes), makeConfig({ strategy }))).plan?.steps ?? [], 'listen').length;
  assert.equal(await listens('overlay'), 1);
  assert.equal(await listens('auto', { sysAdmin: false }), 0);
  const asked = makeConfig({ strategy: 'none', 'daemon.enabled': true });
  await assert.rejects(
    select(facts(), asked),
    isInitError({
      exitCode: 78,
      stage: 'daemon',
      errno: 'EADDRINUSE',
      remedy: /daemon.enabled=false, or strategy=host/,
    }),
  );
});
