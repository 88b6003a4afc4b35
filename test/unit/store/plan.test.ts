import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeStep, type Step } from '../../../src/store/plan.ts';
import { select } from '../../../src/store/select.ts';
import { makeConfig, makeFacts } from '../fixtures.ts';

const steps: [Step, string][] = [
  [{ do: 'mkdir', path: '/a', mode: 0o755 }, 'create /a where it is missing'],
  [{ do: 'lock', of: 'volume', path: '/v/lock', waitMs: 0, orRead: false }, 'lock /v/lock'],
  [
    { do: 'lock', of: 'volume', path: '/v/lock', waitMs: 0, orRead: true },
    'lock /v/lock, or go on read-only',
  ],
  [
    { do: 'lock', of: 'volume', path: '/v/lock', waitMs: 500, orRead: false },
    'lock /v/lock, waiting up to 500 ms',
  ],
  [
    { do: 'unmount', targets: ['/b', '/a'], claim: '/run/x/lock' },
    'unmount what an earlier boot left: /b, /a',
  ],
  [
    { do: 'bind-each', names: '/u', source: '/v', target: '/s' },
    'bind what is in /u from /v to /s, read-only',
  ],
  [{ do: 'tmpfs', target: '/run/x', options: 'mode=755' }, 'mount a tmpfs at /run/x'],
  [{ do: 'bind', source: '/a', target: '/b', readOnly: false }, 'bind /a to /b'],
  [{ do: 'bind', source: '/a', target: '/b', readOnly: true }, 'bind /a to /b, read-only'],
  [
    { do: 'verify', manifest: '/v/m', xattrs: 'user' },
    'check that /v/m is for this version and user.overlay attributes',
  ],
  [
    { do: 'seed', from: '/a', to: '/b', staging: '/s', trash: '/t', manifest: '/m' },
    'copy /a to /b unless it has a database',
  ],
  [
    { do: 'overlay', target: '/s', lower: ['/l', '/m'], upper: '/u', work: '/w', options: [] },
    'mount an overlay at /s: /u over /l, /m',
  ],
  [{ do: 'mask', of: '/l', below: ['/m', '/n'], target: '/x' }, 'hide what /m, /n has of what /l has'],
  [{ do: 'clear', paths: ['/a', '/b'] }, 'empty /a, /b'],
  [{ do: 'clear', paths: ['/a'], idle: ['/b'] }, 'empty /a, /b'],
  [
    { do: 'roots', state: '/v/s', stateDir: '/s', storeDir: '/t', record: '/v/r' },
    'root what projects lead to that are not mounted, and note those that are in /v/r',
  ],
  [
    { do: 'nix-conf', dir: '/etc/nix', over: 'file', create: false, generated: '/g', settings: {} },
    'put our defaults before /etc/nix/nix.conf',
  ],
  [
    { do: 'try-xattrs', path: '/v/w', xattrs: 'user', manifest: '/v/m' },
    'try user.overlay attributes on /v/w, if the volume is new',
  ],
  [
    { do: 'claim-state', record: '/v/r', storeDir: '/s', stateDir: '/v/t', cacheDir: '/v' },
    "note in /v/r that /v/t is of /s, or refuse it as another store's",
  ],
  [{ do: 'unmark', files: ['/a', '/b'] }, 'take the lines of an earlier boot out of /a, /b'],
  [{ do: 'warn', text: 'mind this' }, 'warn: mind this'],
  [{ do: 'environment', variables: { A: '1', B: '/2' } }, 'set A=1 B=/2'],
  [{ do: 'listen', socket: '/d/socket', service: 'd', command: '/bin/d' }, 'listen on /d/socket for /bin/d'],
];

for (const [step, text] of steps) test(`${step.do}: ${text}`, () => assert.equal(describeStep(step), text));

test('a plan is plain data: JSON keeps all of it', async () => {
  for (const readOnly of [false, true]) {
    const facts = makeFacts({ stateReadOnly: readOnly, runReadOnly: readOnly });
    for (const access of ['read-write', 'read-only'] as const) {
      const { plan } = await select(facts, makeConfig({ access }));
      assert.deepEqual(JSON.parse(JSON.stringify(plan)), plan);
      assert.equal(new Set(plan?.steps.map(describeStep)).size, plan?.steps.length);
    }
  }
});
