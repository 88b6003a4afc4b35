import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Facts } from '../../../src/store/facts.ts';
import { assertOrder, only, overlaySteps, stepsOf } from './steps.ts';

type Kind = Facts['nixConf']['kind'];
type How = { over: 'file' | 'directory'; create: boolean } | undefined;

// A symlink cannot be mounted over, and a missing file cannot be made where the root is read-only.
const kinds: [Kind, boolean, How][] = [
  ['file', false, { over: 'file', create: false }],
  ['file', true, { over: 'file', create: false }],
  ['symlink', false, { over: 'directory', create: false }],
  ['symlink', true, { over: 'directory', create: false }],
  ['missing', false, { over: 'file', create: true }],
  ['missing', true, { over: 'directory', create: true }],
  ['no directory', false, { over: 'file', create: true }],
  ['no directory', true, undefined],
];

for (const [kind, readOnly, how] of kinds) {
  const name = `nix.conf ${kind}, ${readOnly ? 'read-only' : 'writable'}`;
  const steps = overlaySteps({ nixConf: { dir: '/etc/nix', kind, readOnly } });

  test(`${name}: ${how ? `over the ${how.over}${how.create ? ', created' : ''}` : 'left alone'}`, () => {
    const expected = how && {
      do: 'nix-conf',
      dir: '/etc/nix',
      ...how,
      generated: '/run/nix-cache-init/nix.conf',
      settings: { 'auto-optimise-store': 'false' },
    };
    assert.deepEqual(stepsOf(steps, 'nix-conf'), expected ? [expected] : []);
  });
}

test('it is made once /run is ready, and while the image’s own file can still be read', () => {
  const steps = overlaySteps({ runReadOnly: true });
  assertOrder(steps, { do: 'tmpfs', target: '/run/nix-cache-init' }, { do: 'nix-conf' }, { do: 'overlay' });
});

test('NIX_CONF_DIR is where it goes', () => {
  const steps = overlaySteps({ nixConf: { dir: '/opt/conf', kind: 'file', readOnly: false } });
  assert.equal(only(steps, 'nix-conf').dir, '/opt/conf');
});
