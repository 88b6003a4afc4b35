import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCommandLine } from '../../../src/config/flags.ts';
import { envName, flagName, type KeyName, keyNames } from '../../../src/config/keys.ts';
import { type ConfigSources, type LoadedConfig, loadConfig } from '../../../src/config/load.ts';
import { InitError } from '../../../src/errors.ts';
import { isInitError, temporaryDirectory } from '../fixtures.ts';

const runs = { numRuns: 200 };
/** A refusal is one line that can be read, whatever the size of what it refuses. */
const MOST_CHARACTERS = 1000;

type Loading = Partial<ConfigSources>;

const load = ({ flags = new Map(), env = {}, file }: Loading): Promise<LoadedConfig> =>
  loadConfig({ flags, env, file });

/** Refused with 78 naming each of `named`, or a configuration that loads again to the same. */
async function assertAnswered(loading: Loading, ...named: readonly string[]): Promise<void> {
  let loaded: LoadedConfig;
  try {
    loaded = await load(loading);
  } catch (error) {
    assert.ok(error instanceof InitError, String(error));
    isInitError({ exitCode: 78, stage: 'config' })(error);
    assert.ok(error.message.length <= MOST_CHARACTERS, `${error.message.length} characters`);
    for (const name of named) assert.ok(error.message.includes(name), `${name} is not in ${error.message}`);
    return;
  }
  await withFile(JSON.stringify(loaded.raw), async (file) =>
    assert.deepEqual((await load({ file })).config, loaded.config),
  );
}

async function withFile(contents: string | Uint8Array, act: (file: string) => Promise<void>): Promise<void> {
  using directory = temporaryDirectory();
  const file = `${directory.path}/config.json`;
  writeFileSync(file, contents);
  await act(file);
}

const fileAnswers = (contents: string | Uint8Array): Promise<void> =>
  withFile(contents, (file) => assertAnswered({ file }, file));

const anyText = fc.string({ unit: 'binary' });
const anyKey = fc.constantFrom(...keyNames);

/** What people, and other programs, write as values: right and nearly right. */
const likelyValue = fc.oneof(
  ...[
    true,
    false,
    null,
    0,
    -1,
    1e308,
    '',
    '8s',
    'auto',
    'read-only',
    '/a',
    '/a/',
    'a\0b',
    `${'9'.repeat(400)}d`,
  ].map((value) => fc.constant<unknown>(value)),
  fc.array(anyText),
  fc.dictionary(fc.oneof(anyText, fc.constantFrom('__proto__', 'constructor', '143')), fc.jsonValue()),
);

const anyService = fc.record(
  {
    command: likelyValue,
    args: likelyValue,
    env: likelyValue,
    listen: likelyValue,
    ready: fc.record({ socket: likelyValue, fd: likelyValue, timeout: likelyValue }, { requiredKeys: [] }),
    restart: likelyValue,
    stopSignal: likelyValue,
  },
  { requiredKeys: [] },
);

const anyValue = fc.oneof(
  likelyValue,
  fc.jsonValue({ maxDepth: 4 }),
  fc.dictionary(fc.oneof(anyText, fc.constantFrom('web', '__proto__')), anyService),
);

const anyFile = fc.dictionary(
  fc.oneof(anyKey, fc.constantFrom('daemon', 'log', '__proto__'), anyText),
  anyValue,
);

test('a file of any bytes', () =>
  fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fileAnswers), runs));

test('a file of any text', () => fc.assert(fc.asyncProperty(anyText, fileAnswers), runs));

test('a file of any JSON object', () =>
  fc.assert(
    fc.asyncProperty(anyFile, (object) => fileAnswers(JSON.stringify(object))),
    runs,
  ));

test('a file that was cut off, or has something where nothing belongs', () =>
  fc.assert(
    fc.asyncProperty(anyFile, fc.nat(), anyText, fc.boolean(), (object, where, more, cut) => {
      const text = JSON.stringify(object);
      const at = where % (text.length + 1);
      return fileAnswers(`${text.slice(0, at)}${cut ? '' : more + text.slice(at)}`);
    }),
    runs,
  ));

test('a key of any name with any value, in a file', () =>
  fc.assert(
    fc.asyncProperty(anyKey, anyValue, (key, value) =>
      withFile(JSON.stringify({ [key]: value }), (file) => assertAnswered({ file }, file, key)),
    ),
    runs,
  ));

/** A value as variables and flags have it, or anything else. */
const anyWritten = fc.oneof(
  anyText,
  fc.json(),
  anyValue.map((value) => JSON.stringify(value)),
);

test('any text in the environment', () =>
  fc.assert(
    fc.asyncProperty(anyKey, anyWritten, (key, text) =>
      assertAnswered({ env: { [envName(key)]: text } }, envName(key), key),
    ),
    runs,
  ));

test('any name in the environment', () =>
  fc.assert(
    fc.asyncProperty(anyText, anyText, (name, text) =>
      assertAnswered({ env: { [`NIX_CACHE_INIT_${name}`]: text } }, 'NIX_CACHE_INIT_'),
    ),
    runs,
  ));

test('any text as a flag', () =>
  fc.assert(
    fc.asyncProperty(anyKey, anyWritten, (key, text) =>
      assertAnswered({ flags: new Map([[key, text]]) }, `--${flagName(key)}`, key),
    ),
    runs,
  ));

const anyWord = fc.oneof(
  anyText,
  anyText.map((text) => `-${text}`),
  anyText.map((text) => `--${text}`),
  anyKey.map((key: KeyName) => `--${flagName(key)}`),
  fc.tuple(anyKey, anyText).map(([key, text]) => `--${flagName(key)}=${text}`),
  fc.constantFrom('--', '-', '--=', '-=', '--config', '--help', '-h', '-hh', '--json'),
);

test('any command line: refused with 64, or what follows the options is left as it is', () =>
  fc.assert(
    fc.property(fc.array(anyWord), (args) => {
      try {
        const { rest } = parseCommandLine(args, { switches: ['json'], values: ['to'] });
        assert.deepEqual(rest, args.slice(args.length - rest.length));
      } catch (error) {
        isInitError({ exitCode: 64, stage: 'usage', errno: 'EINVAL' })(error);
        assert.ok(error instanceof InitError && error.message.length <= MOST_CHARACTERS);
      }
    }),
    { numRuns: 1000 },
  ));

const huge: Record<string, string> = {
  'a key': `{"${'k'.repeat(500_000)}":1}`,
  'a value': `{"strategy":"${'v'.repeat(500_000)}"}`,
  'a service': `{"services":{"${'s'.repeat(500_000)}":{"command":1}}}`,
  'nested lists': `{"strategy":${'['.repeat(400_000)}${']'.repeat(400_000)}}`,
  'nested objects': `{"daemon":${'{"daemon":'.repeat(80_000)}1${'}'.repeat(80_000)}}`,
  'nested lists without an end': `{"strategy":${'['.repeat(400_000)}`,
};

for (const [name, text] of Object.entries(huge)) {
  test(`${name} of a million bytes`, async () => {
    await withFile(text, (file) =>
      assert.rejects(load({ file }), (error) => {
        assert.ok(
          error instanceof InitError && error.message.length <= MOST_CHARACTERS,
          String(error).slice(0, 200),
        );
        return isInitError({ exitCode: 78 })(error);
      }),
    );
  });
}

test('a flag of a million bytes', () => {
  assert.throws(
    () => parseCommandLine([`--${'f'.repeat(1_000_000)}`]),
    (error) => {
      // Its length, not the error: that is what would be printed.
      assert.ok(error instanceof InitError);
      assert.ok(error.message.length <= MOST_CHARACTERS, `${error.message.length} characters`);
      return true;
    },
  );
});

// A mark that no path of a temporary directory has.
test('a damaged file is refused without what its services know', () =>
  fc.assert(
    fc.asyncProperty(fc.nat(), fc.constantFrom('"', ',', '}', 'x', '\\', ''), async (where, more) => {
      const text = JSON.stringify(
        { services: { web: { command: 'web', env: { PASSWORD: '§§§§§§§§' } } } },
        null,
        1,
      );
      const at = where % text.length;
      await withFile(`${text.slice(0, at)}${more}${more === '' ? '' : text.slice(at)}`, async (file) => {
        const why = await load({ file }).then(
          () => '',
          (error) => String(error),
        );
        assert.doesNotMatch(why, /§§/);
      });
    }),
    runs,
  ));
