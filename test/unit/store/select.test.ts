import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../../src/config/keys.ts';
import type { Facts } from '../../../src/store/facts.ts';
import { candidates, refusal, select } from '../../../src/store/select.ts';
import { isInitError, makeConfig, makeFacts } from '../fixtures.ts';

type Choice = Pick<Config, 'strategy' | 'onUnsupported'>;

const choices: [Choice, string[]][] = [
  [{ strategy: 'auto', onUnsupported: 'fallback' }, ['overlay', 'none']],
  [{ strategy: 'auto', onUnsupported: 'fail' }, ['overlay']],
  [{ strategy: 'overlay', onUnsupported: 'fallback' }, ['overlay', 'none']],
  [{ strategy: 'overlay', onUnsupported: 'fail' }, ['overlay']],
  [{ strategy: 'local-overlay', onUnsupported: 'fallback' }, ['local-overlay', 'overlay', 'none']],
  [{ strategy: 'local-overlay', onUnsupported: 'fail' }, ['local-overlay']],
  // Never overlay: a volume of the image's must not be brought in step with another machine's store.
  [{ strategy: 'host', onUnsupported: 'fallback' }, ['host', 'none']],
  [{ strategy: 'host', onUnsupported: 'fail' }, ['host']],
  [{ strategy: 'none', onUnsupported: 'fallback' }, ['none']],
  [{ strategy: 'none', onUnsupported: 'fail' }, ['none']],
];

const machines: [string, Partial<Facts>, boolean][] = [
  ['everything', {}, true],
  ['no SYS_ADMIN', { sysAdmin: false }, false],
];

for (const [choice, names] of choices) {
  const name = `${choice.strategy}, ${choice.onUnsupported}`;
  const config = makeConfig(choice);

  test(`${name}: tried in the order ${names.join(', ')}`, () => {
    assert.deepEqual(
      candidates(config).map((strategy) => strategy.name),
      names,
    );
  });

  for (const [machine, facts, able] of machines) {
    // What cannot work is passed over; what comes after the chosen one is kept for when applying fails.
    const expected = able ? names : names.filter((strategy) => !strategy.endsWith('overlay'));
    test(`${name} with ${machine}: ${expected[0] ?? 'refused'}`, () => {
      const { plan, passedOver, rest } = select(makeFacts(facts), config);
      assert.equal(plan?.strategy, expected[0]);
      assert.deepEqual(
        passedOver.map(({ strategy }) => strategy),
        names.filter((strategy) => !expected.includes(strategy)),
      );
      assert.deepEqual(
        rest.map((strategy) => strategy.name),
        expected.slice(1),
      );
    });
  }
}

test('what was passed over says why, as the line that ends a boot without a fallback', () => {
  const { passedOver } = select(makeFacts({ sysAdmin: false }), makeConfig());
  const [first] = passedOver;
  assert.ok(first);
  isInitError({ exitCode: 77, stage: 'mount', errno: 'EPERM', remedy: /SYS_ADMIN/ })(refusal(first.why));
});

test('the rest of the strategies can be tried in their turn', () => {
  const facts = makeFacts();
  const first = select(facts, makeConfig());
  const second = select(facts, makeConfig(), first.rest);
  assert.deepEqual([second.plan?.strategy, second.rest], ['none', []]);
});

test('none is a plain PID 1: no steps at all', () => {
  const { plan } = select(makeFacts(), makeConfig({ strategy: 'none' }));
  assert.deepEqual(plan, { strategy: 'none', steps: [] });
});
