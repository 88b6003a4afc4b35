import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { claimState, type StateClaim } from '../../../src/volume/prefix-state.ts';
import { isInitError, temporaryDirectory } from '../fixtures.ts';

const claimIn = (base: string, changes: Partial<StateClaim> = {}): StateClaim => ({
  record: `${base}/stores.json`,
  storeDir: '/opt/nix/store',
  stateDir: '/opt/nix/root/nix/var/nix',
  cacheDir: '/opt/nix',
  ...changes,
});

test('a state directory is of the store that used it first, wherever the volume is mounted', () => {
  using directory = temporaryDirectory();
  const claim = claimIn(directory.path);
  claimState(claim);
  const noted = readFileSync(claim.record, 'utf8');
  claimState(claim);
  claimState({ ...claim, cacheDir: '/c', stateDir: '/c/root/nix/var/nix' });
  assert.equal(readFileSync(claim.record, 'utf8'), noted);
});

test('for another store it is refused, with both ways out, and nothing is changed', () => {
  using directory = temporaryDirectory();
  const claim = claimIn(directory.path);
  claimState(claim);
  const noted = readFileSync(claim.record, 'utf8');
  assert.throws(
    () => claimState({ ...claim, storeDir: '/nix/store' }),
    isInitError({
      exitCode: 78,
      stage: 'facts',
      errno: 'EEXIST',
      what: /^\/opt\/nix\/root\/nix\/var\/nix is the state of the store \/opt\/nix\/store, not of \/nix\/store$/,
      remedy: /storeDir=\/opt\/nix\/store, or stateDir=\/opt\/nix\/state /,
    }),
  );
  assert.equal(readFileSync(claim.record, 'utf8'), noted);
});

test('each state directory is one by itself', () => {
  using directory = temporaryDirectory();
  const claim = claimIn(directory.path);
  const other = { ...claim, storeDir: '/nix/store', stateDir: '/opt/nix/state' };
  claimState(claim);
  claimState(other);
  claimState(claim);
  assert.throws(() => claimState({ ...other, storeDir: '/s' }), isInitError({ exitCode: 78 }));
});

for (const text of ['{', '[1', '3', 'null']) {
  test(`a record that is damaged is refused: ${text}`, () => {
    using directory = temporaryDirectory();
    const claim = claimIn(directory.path);
    writeFileSync(claim.record, text);
    assert.throws(() => claimState(claim), isInitError({ exitCode: 78, what: /damaged/, remedy: /^rm / }));
  });
}
