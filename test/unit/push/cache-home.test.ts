import assert from 'node:assert/strict';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { lendCacheHome } from '../../../src/push/cache-home.ts';
import { recordingLog, temporaryDirectory } from '../fixtures.ts';

const { log } = recordingLog();

test('where Nix can make its own, it is left to it', () => {
  using directory = temporaryDirectory();
  const { path } = directory;
  mkdirSync(`${path}/there`);
  for (const env of [
    { HOME: path },
    { HOME: '/dev/null', XDG_CACHE_HOME: `${path}/not/yet` },
    { HOME: '/dev/null', NIX_CACHE_HOME: `${path}/there` },
  ])
    assert.deepEqual(lendCacheHome(env, log).variables, {});
});

test('where it cannot, it has one of nobody else’s, which goes again', () => {
  // No directory, and nobody can make one in it.
  const { variables, remove } = lendCacheHome({ HOME: '/dev/null' }, log);
  const lent = variables['XDG_CACHE_HOME'] ?? '';
  assert.equal(statSync(lent).mode & 0o777, 0o700);
  mkdirSync(`${lent}/nix`);
  writeFileSync(`${lent}/nix/binary-cache.sqlite`, '');
  assert.equal(variables['NIX_CACHE_HOME'], `${lent}/nix`);
  remove();
  assert.equal(existsSync(lent), false);
});
