import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../../src/config/keys.ts';
import type { Facts } from '../../../src/store/facts.ts';
import { describeStep, type StrategyName } from '../../../src/store/plan.ts';
import { select } from '../../../src/store/select.ts';
import { makeConfig, makeFacts } from '../fixtures.ts';
import { only, stepsOf } from './steps.ts';

const to = ['https://me:secret@cache.example', 'file:///srv/cache'];

async function planOf(strategy: StrategyName, config: Partial<Config> = {}, facts: Partial<Facts> = {}) {
  const asked = makeConfig({ strategy, onUnsupported: 'fail', 'push.to': to, ...config });
  const { plan } = await select(makeFacts(facts), asked);
  assert.ok(plan);
  return plan.steps;
}

const sources: [StrategyName, string, string][] = [
  ['overlay', '/nix-cache/upper', 'local'],
  ['local-overlay', '/nix-cache/upper', 'local'],
  [
    'prefix',
    '/nix-cache/root/nix/store',
    'local?root=/nix-cache/root&store=/nix/store&real=/nix-cache/root/nix/store&state=/nix-cache/root/nix/var/nix&log=/nix-cache/root/nix/var/log/nix',
  ],
  ['substituter', '/nix-cache/binary-cache', 'file:///nix-cache/binary-cache'],
];

for (const [strategy, names, from] of sources) {
  test(`${strategy}: what is in ${names} is pushed, after everything else is planned`, async () => {
    const steps = await planOf(strategy);
    const step = only(steps, 'push');
    assert.equal(steps.at(-1), step);
    assert.deepEqual([step.source.names, step.from], [names, from]);
    assert.equal(step.records, '/nix-cache/.nix-cache-init/pushed');
    assert.deepEqual(
      step.to.map(({ uri }) => uri),
      to,
    );
    assert.match(describeStep(step), /to https:\/\/cache\.example, file:\/\/\/srv\/cache$/);
    assert.doesNotMatch(JSON.stringify(steps), /secret@/);
  });

  test(`${strategy}: without push.to nothing is`, async () => {
    assert.deepEqual(stepsOf(await planOf(strategy, { 'push.to': [] }), 'push'), []);
  });
}

for (const [name, strategy, config, facts, says] of [
  ['no volume', 'none', {}, {}, /strategy none keeps no paths/],
  ['a reader', 'overlay', { access: 'read-only' }, {}, /only read/],
  ['no Nix', 'overlay', {}, { nix: { nix: undefined, nixStore: undefined } }, /nix was not found/],
] as const) {
  test(`${name}: that nothing is pushed is said`, async () => {
    const steps = await planOf(strategy, config, facts);
    assert.deepEqual(stepsOf(steps, 'push'), []);
    assert.match(stepsOf(steps, 'warn').at(-1)?.text ?? '', says);
  });
}
