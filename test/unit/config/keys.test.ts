import assert from 'node:assert/strict';
import { test } from 'node:test';
import { envName, flagName, keyNames, keys } from '../../../src/config/keys.ts';

// DESIGN §4.2 spells the rule out: fooBar is NIX_CACHE_INIT_FOO_BAR and --foo-bar, nested keys join with _ and -.
const names: [string, string, string][] = [
  ['strategy', 'NIX_CACHE_INIT_STRATEGY', 'strategy'],
  ['cacheDir', 'NIX_CACHE_INIT_CACHE_DIR', 'cache-dir'],
  ['onUnsupported', 'NIX_CACHE_INIT_ON_UNSUPPORTED', 'on-unsupported'],
  ['daemon.enabled', 'NIX_CACHE_INIT_DAEMON_ENABLED', 'daemon-enabled'],
  ['exitCodes', 'NIX_CACHE_INIT_EXIT_CODES', 'exit-codes'],
  ['log.level', 'NIX_CACHE_INIT_LOG_LEVEL', 'log-level'],
  ['noNewPrivileges', 'NIX_CACHE_INIT_NO_NEW_PRIVILEGES', 'no-new-privileges'],
  ['gc.maxSize', 'NIX_CACHE_INIT_GC_MAX_SIZE', 'gc-max-size'],
];

for (const [key, env, flag] of names) {
  test(`${key} is ${env} and --${flag}`, () => {
    assert.equal(envName(key), env);
    assert.equal(flagName(key), flag);
  });
}

test('no two keys share a name in the environment or on the command line', () => {
  assert.equal(new Set(keyNames.map(envName)).size, keyNames.length);
  assert.equal(new Set(keyNames.map(flagName)).size, keyNames.length);
  const reserved = ['help', 'version', 'config', 'json', 'schema'];
  assert.deepEqual(
    keyNames.map(flagName).filter((flag) => reserved.includes(flag)),
    [],
  );
});

// The contract's defaults (DESIGN §4.2), for the keys that there are so far.
const defaults: Record<string, unknown> = {
  strategy: 'auto',
  cacheDir: '/nix-cache',
  storeDir: '/nix/store',
  stateDir: '/nix/var/nix',
  onLocked: 'fail',
  onUnsupported: 'fallback',
  'daemon.enabled': 'auto',
  user: undefined,
  capabilities: 'auto',
  noNewPrivileges: false,
  'shutdown.grace': '8s',
  exitCodes: {},
  processGroup: true,
  'gc.maxSize': undefined,
  'gc.schedule': undefined,
  'log.level': 'warn',
  'log.format': 'auto',
};

test('the defaults are those of the contract', () => {
  const actual = Object.entries(keys).map(([name, { initial }]) => [name, initial]);
  assert.deepEqual(
    Object.fromEntries(actual.filter(([name]) => Object.hasOwn(defaults, String(name)))),
    defaults,
  );
});

for (const name of keyNames) {
  test(`${name} says what it means and what is allowed, each on one line`, () => {
    const { help, allowed } = keys[name];
    for (const text of [help, allowed]) assert.match(text, /^\S.*\S$/);
  });
}
