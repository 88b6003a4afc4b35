import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../../src/config/keys.ts';
import type { Facts } from '../../../src/store/facts.ts';
import { overlay } from '../../../src/store/overlay.ts';
import type { Step } from '../../../src/store/plan.ts';
import { refusal } from '../../../src/store/select.ts';
import { overlayOptions } from '../../../src/store/steps/overlay.ts';
import { isInitError, makeConfig, makeFacts } from '../fixtures.ts';
import { assertOrder, only, overlaySteps, stepsOf } from './steps.ts';

const lowers = ['/m/a/store', '/m/b:c,d/store'];

function factsWith(
  stores: readonly string[],
  changes: Partial<Facts['lowers'][number]> = {},
): Facts['lowers'] {
  return stores.map((store) => ({ store, there: true, database: true, ...changes }));
}

const steps = (config: Partial<Config> = {}, facts: Partial<Facts> = {}): Step[] =>
  overlaySteps({ lowers: factsWith(lowers), ...facts }, { lowers, ...config });

const run = '/run/nix-cache-init';

test('their layers are below the image’s, in their order, each under its mask', () => {
  const masks = '/nix-cache/.nix-cache-init/masks';
  assert.deepEqual(only(steps(), 'overlay').lower, [
    ...[`${run}/lower/store`, `${masks}/1`, `${run}/lower/1`, `${masks}/2`, `${run}/lower/2`],
  ]);
});

test('they are bound read-only where their paths are short, whatever characters these have', () => {
  for (const [index, store] of lowers.entries()) {
    const target = `${run}/lower/${index + 1}`;
    assertOrder(
      steps(),
      { do: 'mkdir', path: target },
      { do: 'bind', source: store, target, readOnly: true },
      { do: 'reconcile' },
      { do: 'overlay' },
    );
  }
  assert.doesNotMatch(overlayOptions(only(steps(), 'overlay')), /b:c|b\\:c/);
});

test('what is brought in step is all that lies below; the states are beside the stores', () => {
  assert.deepEqual(only(steps(), 'reconcile').lowers, {
    places: [
      { storeDir: `${run}/lower/1`, stateDir: '/m/a/var/nix' },
      { storeDir: `${run}/lower/2`, stateDir: '/m/b:c,d/var/nix' },
    ],
    masks: '/nix-cache/.nix-cache-init/masks',
    combined: '/nix-cache/.nix-cache-init/combined',
  });
});

test('who only reads has them, too, and makes all that of his own', () => {
  const reading = steps({ access: 'read-only' });
  const { lowers: snapshot } = only(reading, 'snapshot');
  assert.equal(snapshot?.masks, `${run}/scratch/masks`);
  assert.deepEqual(only(reading, 'overlay').lower.slice(0, 3), [
    `${run}/lower/store`,
    `${run}/scratch/masks/1`,
    `${run}/lower/1`,
  ]);
  const written = stepsOf(reading, 'mkdir').filter(({ path }) => path.startsWith('/nix-cache'));
  assert.deepEqual(written, []);
});

test('without any, nothing of this is there', () => {
  const text = JSON.stringify(overlaySteps());
  assert.doesNotMatch(text, /masks|combined|lower\/1/);
});

test('one without a database is said, and only that', () => {
  const warned = (database: boolean): string[] =>
    stepsOf(steps({}, { lowers: factsWith(['/m/a/store'], { database }) }), 'warn').map(({ text }) => text);
  assert.deepEqual(warned(true), []);
  assert.match(warned(false)[0] ?? '', /\/m\/a\/store has no Nix database beside it \(\/m\/a\/var\/nix\)/);
});

type Refused = [string, string[], Partial<Facts['lowers'][number]>, string, RegExp];

const refused: Refused[] = [
  ['one that is away', ['/m/a/store'], { there: false }, 'ENOENT', /-v …:\/m\/a\/store:ro, or take it out/],
  ['the store itself', ['/nix/store'], {}, 'EINVAL', /elsewhere/],
  ['one in the state', ['/nix/var/nix/x'], {}, 'EINVAL', /elsewhere/],
  ['one on the volume', ['/nix-cache/x/store'], {}, 'EINVAL', /elsewhere/],
  ['one around all', ['/'], {}, 'EINVAL', /elsewhere/],
];

for (const [name, stores, changes, errno, remedy] of refused) {
  test(`${name} is refused with 78 ${errno}`, () => {
    const facts = makeFacts({ lowers: factsWith(stores, changes) });
    const reason = overlay.unsupported(facts, makeConfig({ lowers: stores }));
    assert.ok(reason);
    isInitError({ exitCode: 78, stage: 'facts', errno, remedy })(refusal(reason));
  });
}

test('as many as a page of mount options takes, and not one more', () => {
  const stores = Array.from({ length: 100 }, (_, index) => `/m/${index}/store`);
  const reasonFor = (count: number) => {
    const some = stores.slice(0, count);
    return overlay.unsupported(makeFacts({ lowers: factsWith(some) }), makeConfig({ lowers: some }));
  };
  const fit = stores.findIndex((_, count) => reasonFor(count + 1) !== undefined);
  assert.equal(fit, 60);
  const options = overlayOptions(
    only(
      overlaySteps({ lowers: factsWith(stores.slice(0, fit)) }, { lowers: stores.slice(0, fit) }),
      'overlay',
    ),
  );
  assert.ok(options.length <= 4095 && options.length > 3990, `${options.length}`);
  const reason = reasonFor(fit + 1);
  assert.ok(reason);
  isInitError({ exitCode: 78, errno: 'E2BIG', remedy: /fewer lowers/ })(refusal(reason));
});
