import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../../src/config/keys.ts';
import type { Facts } from '../../../src/store/facts.ts';
import { select } from '../../../src/store/select.ts';
import { isInitError, makeConfig, makeFacts } from '../fixtures.ts';
import { stepsOf } from './steps.ts';

const socket = '/nix/var/nix/daemon-socket/socket';
const missing: Facts['daemon'] = { path: undefined, socket };

/** The sockets that the selected plan listens on. */
async function listening(
  enabled: Config['daemon.enabled'],
  facts: Partial<Facts>,
  config: Partial<Config> = {},
) {
  const { plan } = await select(makeFacts(facts), makeConfig({ 'daemon.enabled': enabled, ...config }));
  assert.ok(plan);
  return stepsOf(plan.steps, 'listen');
}

type Case = [string, Partial<Facts>, Partial<Config>, { auto: boolean; true: boolean }];

const fallback: Partial<Facts> = { sysAdmin: false, nix: { nix: undefined, nixStore: undefined } };

const cases: Case[] = [
  ['root and a daemon', {}, {}, { auto: true, true: true }],
  ['a daemon, but not root', { root: false }, {}, { auto: false, true: true }],
  ['none by choice', {}, { strategy: 'none' }, { auto: false, true: true }],
  ['none as a fallback', fallback, {}, { auto: true, true: true }],
  ['a fallback on a read-only root', { ...fallback, stateReadOnly: true }, {}, { auto: false, true: true }],
  ['a substituter', { sysAdmin: false }, {}, { auto: true, true: true }],
  ['an overlay on a read-only root', { stateReadOnly: true }, {}, { auto: true, true: true }],
  ['no store', { storeDir: false }, {}, { auto: false, true: true }],
];

for (const [name, facts, config, starts] of cases) {
  const step = { do: 'listen', socket, service: 'nix-daemon', command: '/bin/nix-daemon' };
  test(`auto with ${name}: ${starts.auto ? 'started' : 'left out'}`, async () => {
    assert.deepEqual(await listening('auto', facts, config), starts.auto ? [step] : []);
  });
  test(`true with ${name}: started`, async () => {
    assert.deepEqual(await listening(true, facts, config), [step]);
  });
  test(`false with ${name}: left out`, async () => {
    assert.deepEqual(await listening(false, facts, config), []);
  });
}

for (const enabled of ['auto', false] as const) {
  test(`no daemon in the image, ${enabled}: none is started`, async () => {
    assert.deepEqual(await listening(enabled, { daemon: missing }), []);
  });
}

for (const strategy of ['auto', 'none'] as const) {
  test(`no daemon in the image, asked for by name with strategy ${strategy}: 78 and what to do`, async () => {
    await assert.rejects(
      listening(true, { daemon: missing }, { strategy, 'daemon.command': 'my-daemon' }),
      isInitError({
        exitCode: 78,
        stage: 'daemon',
        errno: 'ENOENT',
        what: 'my-daemon was not found',
        remedy: /daemon\.enabled=false/,
      }),
    );
  });
}
