import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../../src/config/load.ts';
import { readyTimeoutMs, withoutSecrets } from '../../../src/config/services.ts';
import { parseSignal } from '../../../src/config/units.ts';
import { isInitError } from '../fixtures.ts';

const load = (services: unknown) =>
  loadConfig({ flags: new Map([['services', JSON.stringify(services)]]), env: {} });

const web = (fields: object): unknown => ({ web: { command: 'web', ...fields } });

const longest = `/${'x'.repeat(106)}`;

const accepted: [string, unknown][] = [
  ['none', {}],
  ['a command alone', web({})],
  [
    'all fields',
    web({
      args: ['', 'a b'],
      user: '1000:100',
      env: { A: '', 'b.c': '=' },
      restart: 'on-failure',
      stopSignal: 'SIGQUIT',
    }),
  ],
  ['a signal without SIG', web({ stopSignal: 'USR1' })],
  ['readiness by socket', web({ ready: { socket: longest, timeout: '500ms' } })],
  ['readiness by descriptor', web({ ready: { fd: 3 } })],
  ['readiness by descriptor beside a socket', web({ listen: '/run/web', ready: { fd: 4 } })],
  ['readiness by sd_notify', web({ ready: { notify: true } })],
  ['names with digits, dots and dashes', { 'a-1.b_c': { command: 'x' } }],
];

for (const [name, services] of accepted) {
  test(`accepted: ${name}`, async () => assert.deepEqual((await load(services)).config.services, services));
}

test('they keep their order', async () => {
  const names = ['zebra', 'ant', 'Bee'];
  const services = Object.fromEntries(names.map((name) => [name, { command: 'x' }]));
  assert.deepEqual(Object.keys((await load(services)).config.services), names);
});

const source = 'in flag --services';
const names = /^allowed: .*letters, digits/;

const refused: [string, unknown, string, RegExp][] = [
  ['a list', [], 'services cannot be used', names],
  ['text', 'web', 'services cannot be used', names],
  ['a service that is text', { web: 'web' }, 'services.web cannot be used', names],
  ['a number for a name', { 7: { command: 'x' } }, 'services.7 cannot be used', names],
  ['a name with a slash', { 'a/b': { command: 'x' } }, 'services.a/b cannot be used', names],
  ['the name of the daemon', { 'nix-daemon': { command: 'x' } }, 'services.nix-daemon cannot be used', names],
  ['no command', { web: {} }, 'services.web.command is missing', /^allowed: a name on PATH or a path$/],
  ['an empty command', web({ command: '' }), 'services.web.command is ""', /PATH/],
  ['a command with a NUL', web({ command: 'a\0b' }), 'services.web.command is "a\\u0000b"', /PATH/],
  ['arguments as text', web({ args: '-v' }), 'services.web.args is "-v"', /^allowed: a list of strings$/],
  [
    'a number for an argument',
    web({ args: ['-p', 80] }),
    'services.web.args.1 is 80',
    /^allowed: a list of strings$/,
  ],
  [
    'an environment as a list',
    web({ env: ['A=1'] }),
    'services.web.env cannot be used',
    /^allowed: an object from names/,
  ],
  [
    'a variable with =',
    web({ env: { 'A=B': 'x' } }),
    'services.web.env.A=B cannot be used',
    /^allowed: an object from names/,
  ],
  [
    'a restart of another kind',
    web({ restart: 'sometimes' }),
    'services.web.restart is "sometimes"',
    /^allowed: always, on-failure, never$/,
  ],
  [
    'an unknown signal',
    web({ stopSignal: 'TREM' }),
    'services.web.stopSignal is "TREM"',
    /^allowed: a signal such as TERM/,
  ],
  [
    'a signal by number',
    web({ stopSignal: 15 }),
    'services.web.stopSignal is 15',
    /^allowed: a signal such as TERM/,
  ],
  [
    'a relative socket',
    web({ listen: 'run/x' }),
    'services.web.listen is "run/x"',
    /^allowed: an absolute path/,
  ],
  [
    'a socket that is too long',
    web({ listen: `${longest}x` }),
    `services.web.listen is "${longest}x"`,
    /107 bytes/,
  ],
  [
    'readiness as text',
    web({ ready: 'socket' }),
    'services.web.ready is "socket"',
    /exactly one of socket, fd and notify/,
  ],
  [
    'no kind of readiness',
    web({ ready: { timeout: '1s' } }),
    'services.web.ready is {"timeout":"1s"}',
    /exactly one/,
  ],
  [
    'two kinds of readiness',
    web({ ready: { fd: 3, notify: true } }),
    'services.web.ready is {"fd":3,"notify":true}',
    /exactly one/,
  ],
  [
    'descriptor 2',
    web({ ready: { fd: 2 } }),
    'services.web.ready.fd is 2',
    /^allowed: a number from 3 to 99/,
  ],
  [
    'descriptor 100',
    web({ ready: { fd: 100 } }),
    'services.web.ready.fd is 100',
    /^allowed: a number from 3 to 99/,
  ],
  [
    'the descriptor of the socket',
    web({ listen: '/run/x', ready: { fd: 3 } }),
    'services.web.ready.fd is 3',
    /with listen from 4/,
  ],
  [
    'notify that is false',
    web({ ready: { notify: false } }),
    'services.web.ready.notify is false',
    /^allowed: true$/,
  ],
  [
    'a time without a unit',
    web({ ready: { fd: 3, timeout: '10' } }),
    'services.web.ready.timeout is "10"',
    /500ms/,
  ],
];

for (const [name, services, what, remedy] of refused) {
  test(`refused: ${name}`, async () => {
    const expected = isInitError({
      exitCode: 78,
      stage: 'config',
      errno: 'EINVAL',
      what: `${what} ${source}`,
      remedy,
    });
    await assert.rejects(load(services), expected);
  });
}

const unknown: [unknown, string, string][] = [
  [{ web: { comand: 'x' } }, 'services.web.comand', 'services.web.command'],
  [web({ restarts: 'never' }), 'services.web.restarts', 'services.web.restart'],
  [web({ ready: { sockt: '/x' } }), 'services.web.ready.sockt', 'services.web.ready.socket'],
];

for (const [services, key, nearest] of unknown) {
  test(`unknown: ${key}`, async () => {
    const what = `unknown key ${key} ${source}`;
    await assert.rejects(
      load(services),
      isInitError({ exitCode: 78, what, remedy: `did you mean ${nearest}?` }),
    );
  });
}

test('a secret in an environment is in no message, however wrong the rest', async () => {
  for (const services of [
    web({ env: { A: 'secret', B: 1 } }),
    { web: { command: 1, env: { A: 'secret' } } },
    ['secret'],
    '{"secret',
  ])
    await assert.rejects(load(services), (error) => !String(error).includes('secret'));
});

test('nor is it in what is shown', () => {
  const shown = withoutSecrets({ web: { command: 'web', env: { A: 'secret' } }, bare: { command: 'x' } });
  assert.deepEqual(shown, { web: { command: 'web', env: { A: '…' } }, bare: { command: 'x' } });
});

test('others wait ten seconds, or as said', () => {
  assert.equal(readyTimeoutMs({ fd: 3 }), 10_000);
  assert.equal(readyTimeoutMs({ fd: 3, timeout: '2m' }), 120_000);
});

const signals: [string, NodeJS.Signals | undefined][] = [
  ['TERM', 'SIGTERM'],
  ['SIGTERM', 'SIGTERM'],
  ['term', undefined],
  ['SIG', undefined],
  ['', undefined],
  ['15', undefined],
  ['constructor', undefined],
];

for (const [text, signal] of signals) {
  test(`the signal ${JSON.stringify(text)} is ${signal ?? 'none'}`, () =>
    assert.equal(parseSignal(text), signal));
}
