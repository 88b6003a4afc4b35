import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { envName, flagName, keyNames } from '../../src/config/keys.ts';
import { assertFails } from '../harness/failureLine.ts';
import { bootInNamespace, plain } from '../harness/namespaceBoot.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import type { Outcome } from '../harness/run.ts';

const directory = '/etc/nix-cache-init';

/** What stands in the place of the configuration file: what makes it, what is said of it. */
const odd: Record<string, [string, RegExp]> = {
  'a FIFO': ['mkfifo config.json', /config\.json is not a regular file: EINVAL/],
  'a device without an end': ['ln -s /dev/zero config.json', /not a regular file: EINVAL/],
  '100 MB': ['truncate -s 100M config.json', /more than 1048576 bytes: EFBIG/],
  'a directory': ['mkdir config.json', /cannot read .*config\.json: EISDIR/],
  'cut off': ['printf \'{"strategy": "no\' >config.json', /config\.json is not JSON: .*: EINVAL/],
  'not UTF-8': ['printf \'{"cacheDir": "/\\377"}\' >config.json', /not UTF-8: EILSEQ/],
};

namespaceTest('a boot does not hang on an odd configuration file, nor on one of any size', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  for (const [make, says] of Object.values(odd)) {
    rmSync(machine.path(directory), { recursive: true, force: true });
    mkdirSync(machine.path(directory));
    await machine.shell(`cd .${directory}; ${make}`);
    assertFails(await bootInNamespace(machine, { args: plain('echo', 'the command ran') }), 78, says);
  }
});

// execve(2) takes neither a NUL nor half a surrogate pair.
const anyWord = fc
  .string({ unit: 'grapheme', maxLength: 40 })
  .filter((text) => !text.includes('\0'))
  .chain((text) => fc.constantFrom(text, `-${text}`, `--${text}`, `[${text}]`, `{"${text}":1}`));
const anyFlag = fc.tuple(fc.constantFrom(...keyNames), anyWord);

namespaceTest('the program answers whatever it is told: 0, 64 or 78, and one line', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const program = ['/opt/nix-cache-init/bin/nix-cache-init', 'config'];
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyWord),
      anyFlag,
      anyFlag,
      fc.boolean(),
      async (words, [key, text], [other, value], told) => {
        const args = [...(told ? [`--${flagName(key)}=${text}`] : []), ...words];
        const outcome = await bootInNamespace(machine, { program, args, env: { [envName(other)]: value } });
        assertAnswered(outcome);
      },
    ),
    { numRuns: 25 },
  );
});

const anyPath = fc.oneof(
  fc.constantFrom(
    ...['/', '/proc', '/etc/passwd', '/dev/null', '/nix', '/nix/store', '/run/nix-cache-init', '/init'],
    ...['/tmp/a b', "/tmp/it's", '/tmp/a,b:c', '/tmp/back\\slash', '/tmp/line\nbreak', '/tmp/../tmp/x'],
    ...[`/${'n'.repeat(300)}`, `/tmp/${'d/'.repeat(2100)}e`],
  ),
  fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 10 })
    .map((name) => `/tmp/${name.replace(/[\0/]/g, '_')}`),
);
const anyTime = fc.constantFrom('0ms', '0.0001s', '100000d');

const anyService = fc.record(
  {
    command: fc.constantFrom('true', 'false', '/no/such', '/etc', '/etc/passwd', 'sleep'),
    args: fc.constantFrom([], [''], ['60']),
    user: fc.constantFrom('root', '0:0', '4294967295', '-1'),
    restart: fc.constantFrom('always', 'on-failure', 'never'),
    listen: fc.constantFrom('/tmp/s', '/no/such/s', '/etc/passwd', `/tmp/${'l'.repeat(102)}`),
    stopSignal: fc.constantFrom('KILL', 'STOP', 'CONT'),
    ready: fc.constantFrom(
      { fd: 4, timeout: '0ms' },
      { socket: '/no/x', timeout: '1ms' },
      { notify: true, timeout: '1ms' },
    ),
  },
  { requiredKeys: ['command'] },
);

/** What the schemas let pass, wherever it leads. */
const anyConfiguration = fc.record(
  {
    strategy: fc.constantFrom('auto', 'overlay', 'local-overlay', 'prefix', 'host', 'substituter', 'none'),
    cacheDir: anyPath,
    storeDir: anyPath,
    stateDir: anyPath,
    lowers: fc.uniqueArray(anyPath, { maxLength: 2 }),
    onUnsupported: fc.constantFrom('fallback', 'fail'),
    access: fc.constantFrom('read-write', 'read-only'),
    services: fc.dictionary(fc.constantFrom('a', 'b.c', 'toString', 'constructor'), anyService, {
      maxKeys: 2,
    }),
    user: fc.constantFrom('root', '1:1', '99999999999', '4294967295', '-1', 'root:nope'),
    capabilities: fc.array(fc.constantFrom('NET_ADMIN', 'cap_chown', '', 'CAP_', '63', 'toString'), {
      maxLength: 2,
    }),
    'shutdown.grace': anyTime,
    lockTimeout: anyTime,
  },
  { requiredKeys: [] },
);

namespaceTest('whatever configuration is valid: the command runs, or one line says why not', async () => {
  await using machine = await makeMachine();
  mkdirSync(machine.path(directory));
  await fc.assert(
    fc.asyncProperty(anyConfiguration, fc.boolean(), async (configuration, whole) => {
      // A few keys at a time: of many, one is always refused.
      const said = whole ? configuration : Object.fromEntries(Object.entries(configuration).slice(0, 3));
      writeFileSync(machine.path(`${directory}/config.json`), JSON.stringify(said));
      const outcome = await bootInNamespace(machine, { args: ['echo', 'the command ran'] });
      if (outcome.exitCode === 0) assert.equal(outcome.stdout.trim(), 'the command ran');
      else {
        assert.ok([74, 75, 77, 78].includes(outcome.exitCode), `${outcome.exitCode}: ${outcome.stderr}`);
        assertFails(outcome, outcome.exitCode, /./);
      }
    }),
    { numRuns: 30 },
  );
});

function assertAnswered(outcome: Outcome): void {
  if (outcome.exitCode === 0) assert.equal(outcome.stderr, '');
  else assertFails(outcome, outcome.exitCode === 64 ? 64 : 78, /./);
}
