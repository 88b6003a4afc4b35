import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Facts } from '../../../src/store/facts.ts';
import type { Step } from '../../../src/store/plan.ts';
import { makeVolume } from '../fixtures.ts';
import { assertOrder, only, overlaySteps, positionOf, stepsOf } from './steps.ts';

const written = makeVolume({ hasUpper: true, readOnly: true });
const readerSteps = (facts: Partial<Facts> = {}): Step[] =>
  overlaySteps({ volume: written, ...facts }, { access: 'read-only' });

const machines: [string, Partial<Facts>][] = [
  ['an ordinary container', {}],
  ['a read-only root', { stateReadOnly: true, runReadOnly: true }],
  ['a user namespace', { userNamespace: true }],
  ['leftovers', { leftovers: ['/nix/store', '/run/nix-cache-init/lower/store'] }],
  ['a volume that nobody has written to', { volume: makeVolume({ readOnly: true }) }],
];

/** Everything that a step may write to. */
function writtenBy(step: Step): string[] {
  switch (step.do) {
    case 'mkdir':
    case 'lock':
      return [step.path];
    case 'snapshot':
      return [step.to, step.scratch, step.mask, step.standIns];
    case 'overlay':
      return [step.upper, step.work];
    case 'nix-conf':
      return [step.over === 'in place' ? step.dir : step.generated];
    case 'bind':
      return step.readOnly ? [] : [step.source];
    case 'unmount':
    case 'verify':
    case 'tmpfs':
    case 'bind-each':
      return [];
    default:
      throw new Error(`a reader has no use for ${step.do}`);
  }
}

for (const [name, facts] of machines) {
  const steps = readerSteps(facts);

  test(`${name}: nothing is written to the volume, and nothing locked there`, () => {
    const places = steps.flatMap(writtenBy);
    assert.ok(places.length > 5);
    for (const place of places) assert.doesNotMatch(place, /^\/nix-cache(\/|$)/);
  });

  test(`${name}: what is mounted is claimed first, and a foreign volume refused before that`, () => {
    const { claim } = stepsOf(steps, 'unmount')[0] ?? { claim: '/run/nix-cache-init/lock' };
    const claimed = positionOf(steps, { do: 'lock', of: 'mounts', path: claim });
    assert.ok(claimed < steps.findIndex((step) => step.do === 'bind'));
    assertOrder(steps, { do: 'verify' }, { do: 'lock' }, { do: 'snapshot' });
  });

  test(`${name}: the state is made while the image's can be seen, and shown when it is whole`, () => {
    assertOrder(
      steps,
      { do: 'bind', target: '/run/nix-cache-init/lower/state', readOnly: true },
      { do: 'snapshot', to: '/run/nix-cache-init/state' },
      { do: 'overlay' },
      { do: 'bind', source: '/run/nix-cache-init/state', target: '/nix/var/nix' },
    );
  });

  test(`${name}: the throw-away layers are in memory, and there before the overlay`, () => {
    const scratch = '/run/nix-cache-init/scratch';
    assertOrder(steps, { do: 'mkdir', path: scratch }, { do: 'tmpfs', target: scratch }, { do: 'snapshot' });
    const { upper, work, lower } = only(steps, 'overlay');
    const layers = [upper, work, ...lower.filter((layer) => layer.startsWith(scratch))];
    assert.equal(layers.length, 3);
    for (const path of layers)
      assertOrder(steps, { do: 'tmpfs', target: scratch }, { do: 'mkdir', path }, { do: 'overlay' });
    assert.equal(stepsOf(steps, 'mkdir').find(({ path }) => path === upper)?.like, '/nix/store');
  });
}

test('the image lies above the volume, with what is to be hidden of that in between', () => {
  const { lower } = only(readerSteps(), 'overlay');
  const { mask } = only(readerSteps(), 'snapshot');
  assert.deepEqual(lower, ['/run/nix-cache-init/lower/store', mask, '/nix-cache/upper']);
  const fresh = readerSteps({ volume: makeVolume() });
  assert.deepEqual(only(fresh, 'overlay').lower, ['/run/nix-cache-init/lower/store', mask]);
});

test("what of the volume hides the image's is bound over the overlay", () => {
  const steps = readerSteps();
  assertOrder(
    steps,
    { do: 'overlay' },
    { do: 'bind-each', source: '/nix-cache/upper', target: '/nix/store' },
  );
  const { standIns } = only(steps, 'snapshot');
  assert.equal(only(steps, 'bind-each').names, standIns);
  assert.equal(only(steps, 'overlay').upper, standIns);
});

test('build logs of a reader whose root is read-only go with it', () => {
  const [bound] = stepsOf(readerSteps({ stateReadOnly: true }), 'bind').filter(
    ({ target }) => target === '/nix/var/log',
  );
  assert.equal(bound?.source, '/run/nix-cache-init/log');
});
