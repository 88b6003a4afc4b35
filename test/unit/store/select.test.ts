import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../../src/config/keys.ts';
import type { Facts } from '../../../src/store/facts.ts';
import { candidates, refusal, select } from '../../../src/store/select.ts';
import { isInitError, makeConfig, makeFacts } from '../fixtures.ts';

type Choice = Pick<Config, 'strategy' | 'onUnsupported'>;

const choices: [Choice, string[]][] = [
  [{ strategy: 'auto', onUnsupported: 'fallback' }, ['overlay', 'substituter', 'none']],
  [{ strategy: 'auto', onUnsupported: 'fail' }, ['overlay']],
  [{ strategy: 'overlay', onUnsupported: 'fallback' }, ['overlay', 'substituter', 'none']],
  [{ strategy: 'overlay', onUnsupported: 'fail' }, ['overlay']],
  [
    { strategy: 'local-overlay', onUnsupported: 'fallback' },
    ['local-overlay', 'overlay', 'substituter', 'none'],
  ],
  [{ strategy: 'local-overlay', onUnsupported: 'fail' }, ['local-overlay']],
  [{ strategy: 'prefix', onUnsupported: 'fallback' }, ['prefix', 'overlay', 'substituter', 'none']],
  [{ strategy: 'prefix', onUnsupported: 'fail' }, ['prefix']],
  [{ strategy: 'substituter', onUnsupported: 'fallback' }, ['substituter', 'overlay', 'none']],
  [{ strategy: 'substituter', onUnsupported: 'fail' }, ['substituter']],
  // Never overlay: a volume of the image's must not be brought in step with another machine's store.
  [{ strategy: 'host', onUnsupported: 'fallback' }, ['host', 'none']],
  [{ strategy: 'host', onUnsupported: 'fail' }, ['host']],
  [{ strategy: 'none', onUnsupported: 'fallback' }, ['none']],
  [{ strategy: 'none', onUnsupported: 'fail' }, ['none']],
];

/** And which strategies cannot work there. */
const machines: [string, Partial<Facts>, string[]][] = [
  ['everything', {}, []],
  ['no SYS_ADMIN', { sysAdmin: false }, ['overlay', 'local-overlay']],
  ['no Nix', { nix: { nix: undefined, nixStore: undefined } }, ['substituter']],
  ['no volume', { volume: { kind: 'missing' } }, ['overlay', 'local-overlay', 'prefix', 'substituter']],
];

for (const [choice, names] of choices) {
  const name = `${choice.strategy}, ${choice.onUnsupported}`;
  const config = makeConfig(choice);

  test(`${name}: tried in the order ${names.join(', ')}`, () => {
    assert.deepEqual(candidates(config), names);
  });

  for (const [machine, facts, unable] of machines) {
    // What cannot work is passed over; what comes after the chosen one is kept for when applying fails.
    const chosen = names.find((strategy) => !unable.includes(strategy));
    const at = chosen === undefined ? names.length : names.indexOf(chosen);
    test(`${name} with ${machine}: ${chosen ?? 'refused'}`, async () => {
      const { plan, passedOver, rest } = await select(makeFacts(facts), config);
      assert.equal(plan?.strategy, chosen);
      assert.deepEqual(
        passedOver.map(({ strategy }) => strategy),
        names.slice(0, at),
      );
      assert.deepEqual(rest, names.slice(at + 1));
    });
  }
}

test('what was passed over says why, as the line that ends a boot without a fallback', async () => {
  const { passedOver } = await select(makeFacts({ sysAdmin: false }), makeConfig());
  const [first] = passedOver;
  assert.ok(first);
  isInitError({ exitCode: 77, stage: 'mount', errno: 'EPERM', remedy: /SYS_ADMIN/ })(refusal(first.why));
});

test('the rest of the strategies can be tried in their turn', async () => {
  const facts = makeFacts();
  const first = await select(facts, makeConfig());
  const second = await select(facts, makeConfig(), first.rest);
  const third = await select(facts, makeConfig(), second.rest);
  assert.deepEqual([second.plan?.strategy, third.plan?.strategy, third.rest], ['substituter', 'none', []]);
});

test('none is a plain PID 1: no steps at all', async () => {
  const { plan } = await select(makeFacts(), makeConfig({ strategy: 'none' }));
  assert.deepEqual(plan, { strategy: 'none', steps: [] });
});

for (const strategy of ['overlay', 'local-overlay', 'prefix', 'host', 'substituter', 'none'] as const) {
  test(`${strategy}: lines that a killed boot left in nix.conf go, once it is sure that this one changes anything`, async () => {
    const files = ['/etc/nix/nix.conf', '/etc/xdg/nix/nix.conf'];
    const steps = async (markedConfs: string[]) =>
      (await select(makeFacts({ markedConfs }), makeConfig({ strategy }))).plan?.steps ?? [];
    const [kept, taken] = [await steps([]), await steps(files)];
    const at = taken.findIndex((step) => step.do === 'unmark');
    assert.deepEqual(taken[at], { do: 'unmark', files });
    assert.deepEqual(taken.toSpliced(at, 1), kept);
    // Not before the volume is locked, and before anything of ours comes there, or over it.
    const before = taken.slice(0, at).map((step) => step.do);
    assert.deepEqual(before, kept.some((step) => step.do === 'lock') ? ['mkdir', 'lock'] : []);
  });
}
