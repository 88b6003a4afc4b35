import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Facts } from '../../../src/store/facts.ts';
import { select } from '../../../src/store/select.ts';
import { makeConfig, makeFacts } from '../fixtures.ts';
import { assertOrder, positionOf, stepsOf } from './steps.ts';

// What must hold on every machine.
const machines: [string, Partial<Facts>][] = [
  ['an ordinary container', {}],
  ['a read-only root', { stateReadOnly: true, runReadOnly: true }],
  ['a read-only root with a writable /run', { stateReadOnly: true }],
  ['a user namespace', { userNamespace: true }],
  [
    'an image without state or nix.conf',
    { stateDir: false, nixConf: { dir: '/etc/nix', kind: 'no directory', readOnly: false } },
  ],
];

const aside = '/run/nix-cache-init/lower';

for (const [name, facts] of machines) {
  const { plan } = await select(makeFacts(facts), makeConfig());
  assert.ok(plan);
  const { steps } = plan;

  test(`${name}: the lock comes first, but for the directory it is in`, () => {
    assert.deepEqual(
      steps.slice(0, 2).map((step) => [step.do, 'path' in step ? step.path : '']),
      [
        ['mkdir', '/nix-cache/.nix-cache-init'],
        ['lock', '/nix-cache/.nix-cache-init/lock'],
      ],
    );
    assert.deepEqual(
      stepsOf(steps, 'lock').map((step) => step.of),
      ['volume', 'mounts'],
    );
  });

  test(`${name}: a foreign volume is refused before anything is made on it`, () => {
    const verified = positionOf(steps, { do: 'verify' });
    const touching = steps.findIndex(
      (step) => step.do === 'mkdir' && /^\/nix-cache\/(?!\.nix)/.test(step.path),
    );
    assert.ok(verified < touching);
    assertOrder(steps, { of: 'volume' }, { do: 'verify' }, { do: 'seed' });
  });

  test(`${name}: store and state are bound aside before the overlay hides them`, () => {
    assertOrder(
      steps,
      { do: 'mkdir', path: `${aside}/store` },
      { do: 'bind', source: '/nix/store', target: `${aside}/store`, readOnly: true },
      { do: 'overlay', target: '/nix/store' },
    );
    assertOrder(
      steps,
      { do: 'mkdir', path: `${aside}/state` },
      { do: 'mkdir', path: '/nix/var/nix' },
      { do: 'bind', source: '/nix/var/nix', target: `${aside}/state`, readOnly: true },
      { do: 'seed', from: `${aside}/state`, to: '/nix-cache/var/nix' },
      { do: 'clear' },
      { do: 'bind', source: '/nix-cache/var/nix', target: '/nix/var/nix' },
    );
  });

  test(`${name}: nothing is mounted before it is claimed`, () => {
    const first = steps.findIndex((step) => step.do === 'bind');
    assert.ok(positionOf(steps, { of: 'mounts' }) < first);
  });

  test(`${name}: the layers are there before the overlay`, () => {
    for (const path of ['/nix-cache/upper', '/nix-cache/workdir']) {
      assertOrder(steps, { do: 'mkdir', path }, { do: 'overlay' });
    }
  });

  test(`${name}: the volume's state is whole before anything shows it`, () => {
    assertOrder(steps, { do: 'seed' }, { do: 'reconcile' }, { do: 'overlay' });
    assertOrder(steps, { do: 'seed' }, { do: 'clear' }, { do: 'bind', target: '/nix/var/nix' });
  });

  test(`${name}: roots are settled in a state that is whole, and before any Nix can collect`, () => {
    assertOrder(
      steps,
      { do: 'seed' },
      { do: 'bind', target: '/nix/var/nix' },
      { do: 'roots' },
      { do: 'listen' },
    );
  });

  test(`${name}: the daemon's socket comes last`, () => {
    assert.equal(positionOf(steps, { do: 'listen' }), steps.length - 1);
  });

  test(`${name}: whatever is mounted on exists by then`, () => {
    const given = ['/nix/store', '/nix/var/log', '/run/nix-cache-init', '/nix-cache/var/nix', '/etc/nix'];
    const made = new Set(given);
    for (const step of steps) {
      if (step.do === 'mkdir') made.add(step.path);
      // The state's builds directory appears where the state is bound.
      if (step.do === 'mkdir' && step.path === '/nix-cache/var/nix/builds') made.add('/nix/var/nix/builds');
      if (step.do === 'bind') assert.ok(made.has(step.source), step.source);
      if (step.do === 'bind' || step.do === 'tmpfs' || step.do === 'overlay')
        assert.ok(made.has(step.target), step.target);
    }
  });
}
