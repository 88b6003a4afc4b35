import assert from 'node:assert/strict';
import { chmodSync, lstatSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { placeConf, withIncludes } from '../../../src/binary-cache/include.ts';
import { temporaryDirectory } from '../fixtures.ts';

const files = { before: '/s/defaults.conf', after: '/s/nix.conf' };
const before = '!include /s/defaults.conf # by nix-cache-init\n';
const after = '!include /s/nix.conf # by nix-cache-init\n';

const cases: [string, string, string][] = [
  ['an empty file', '', `${before}${after}`],
  ['a file', 'cores = 2\n', `${before}cores = 2\n${after}`],
  ['a last line without an end', 'cores = 2', `${before}cores = 2\n${after}`],
  [
    "the user's own includes",
    'include other.conf\n!include /x\n',
    `${before}include other.conf\n!include /x\n${after}`,
  ],
];

for (const [name, text, expected] of cases) {
  test(`${name} is included around, and a second time changes nothing`, () => {
    const once = withIncludes(text, files);
    assert.equal(once, expected);
    assert.equal(withIncludes(once, files), once);
  });
}

test('what an earlier boot had it include goes', () => {
  const old = withIncludes('cores = 2\n', { before: '/old/a', after: '/old/b' });
  assert.equal(withIncludes(old, { after: '/s/nix.conf' }), `cores = 2\n${after}`);
});

test('what the user has added after a boot stays, and stays before what adds to it', () => {
  const edited = `${withIncludes('cores = 2\n', files)}substituters = https://x\n`;
  assert.equal(withIncludes(edited, files), `${before}cores = 2\nsubstituters = https://x\n${after}`);
});

test('a file keeps its mode, and a new one can be read by everybody', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/nix.conf`;
  placeConf(path, 'a\n');
  assert.equal(statSync(path).mode & 0o777, 0o644);
  chmodSync(path, 0o600);
  placeConf(path, 'b\n');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(readFileSync(path, 'utf8'), 'b\n');
});

test('a link becomes a file, and what it led to stays as it was', () => {
  using directory = temporaryDirectory();
  const [path, store] = [`${directory.path}/nix.conf`, `${directory.path}/store`];
  writeFileSync(store, 'of the store\n', { mode: 0o444 });
  symlinkSync(store, path);
  placeConf(path, 'new\n');
  assert.ok(lstatSync(path).isFile());
  assert.equal(statSync(path).mode & 0o777, 0o644);
  assert.equal(readFileSync(store, 'utf8'), 'of the store\n');
});
