import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Config, type KeyName, keyNames } from '../../../src/config/keys.ts';
import { type LoadedConfig, loadConfig } from '../../../src/config/load.ts';
import { temporaryDirectory } from '../fixtures.ts';

type Sources = {
  file?: unknown;
  env?: Record<string, string | undefined>;
  flags?: Partial<Record<KeyName, string>>;
};

/** Loads with a real file where the case has one. */
async function load({ file, env = {}, flags = {} }: Sources): Promise<LoadedConfig> {
  using directory = temporaryDirectory();
  const path = `${directory.path}/config.json`;
  if (file !== undefined) writeFileSync(path, JSON.stringify(file));
  return await loadConfig({
    flags: new Map(Object.entries(flags) as [KeyName, string][]),
    env,
    file: file === undefined ? undefined : path,
  });
}

test('without any source every key has its default', async () => {
  const { config, origins, raw } = await load({});
  assert.deepEqual(Object.keys(config), keyNames);
  assert.deepEqual(new Set(Object.values(origins)), new Set(['default']));
  assert.equal(config['shutdown.grace'], 8000);
  assert.equal(raw['shutdown.grace'], '8s');
});

test('later wins: default, file, environment, flag', async () => {
  const file = { strategy: 'none', 'log.level': 'info', onLocked: 'wait' };
  const env = { NIX_CACHE_INIT_STRATEGY: 'auto', NIX_CACHE_INIT_LOG_LEVEL: 'debug' };
  const { config, origins } = await load({ file, env, flags: { strategy: 'overlay' } });
  assert.equal(config.strategy, 'overlay');
  assert.equal(origins.strategy, 'flag --strategy');
  assert.equal(config['log.level'], 'debug');
  assert.equal(origins['log.level'], 'environment NIX_CACHE_INIT_LOG_LEVEL');
  assert.equal(config.onLocked, 'wait');
  assert.match(origins.onLocked, /^file \/.*\/config\.json$/);
  assert.equal(config.onUnsupported, 'fallback');
  assert.equal(origins.onUnsupported, 'default');
});

test('the file may nest keys or join them with a dot', async () => {
  const { config } = await load({ file: { daemon: { enabled: false, args: ['-v'] }, 'log.level': 'error' } });
  assert.equal(config['daemon.enabled'], false);
  assert.deepEqual(config['daemon.args'], ['-v']);
  assert.equal(config['log.level'], 'error');
});

test('the file may name its schema, for editors', async () => {
  const { config, origins, raw } = await load({
    file: { $schema: './config.schema.json', strategy: 'none' },
  });
  assert.equal(config.strategy, 'none');
  assert.deepEqual(Object.keys(config), keyNames);
  assert.ok(!('$schema' in raw) && !('$schema' in origins));
});

test('an empty file object changes nothing', async () => {
  const [{ config }, bare] = [await load({ file: {} }), await load({})];
  assert.deepEqual(config, bare.config);
});

test('an object that is a value is not taken for nesting', async () => {
  assert.deepEqual((await load({ file: { exitCodes: { '143': 0 } } })).config.exitCodes, { '143': 0 });
});

test('other variables of the environment are nobody’s business', async () => {
  const env = {
    PATH: '/bin',
    NIX_REMOTE: 'daemon',
    nix_cache_init_strategy: 'x',
    NIX_CACHE_INIT_STRATEGY: undefined,
  };
  assert.equal((await load({ env })).config.strategy, 'auto');
});

const booleans: [string, boolean][] = [
  ['1', true],
  ['true', true],
  ['yes', true],
  ['TRUE', true],
  ['0', false],
  ['false', false],
  ['no', false],
  ['No', false],
];

for (const [text, value] of booleans) {
  test(`${text} is ${value}, in the environment and as a flag`, async () => {
    const env = { NIX_CACHE_INIT_PROCESS_GROUP: text, NIX_CACHE_INIT_DAEMON_ENABLED: text };
    assert.equal((await load({ env })).config.processGroup, value);
    assert.equal((await load({ env })).config['daemon.enabled'], value);
    assert.equal((await load({ flags: { processGroup: text } })).config.processGroup, value);
  });
}

const texts: [KeyName, string, Config[KeyName]][] = [
  ['strategy', 'none', 'none'],
  ['cacheDir', '/mnt/my cache', '/mnt/my cache'],
  ['cacheDir', '/1', '/1'],
  ['storeDir', '/gnu/store', '/gnu/store'],
  ['lockTimeout', '1.5m', 90_000],
  ['shutdown.grace', '500ms', 500],
  ['daemon.enabled', 'auto', 'auto'],
  ['daemon.command', 'true', 'true'],
  ['daemon.args', '["--option","a b"]', ['--option', 'a b']],
  ['exitCodes', '{"143":0,"255":1}', { '143': 0, '255': 1 }],
  ['gc.maxSize', '1.5K', 1536],
  ['gc.schedule', '24h', 86_400_000],
  ['log.format', 'json', 'json'],
];

for (const [name, text, value] of texts) {
  test(`${name} from the text ${text}`, async () => {
    assert.deepEqual((await load({ flags: { [name]: text } })).config[name], value);
  });
}
