import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Manifest, readManifest, writeManifest } from '../../../src/volume/manifest.ts';
import { isInitError, temporaryDirectory } from '../fixtures.ts';

const plain: Manifest = {
  format: 1,
  strategy: 'overlay',
  xattrs: 'trusted',
  imageIdentity: `sha256-${'0'.repeat(64)}`,
  imageStat: '4096-1-2+',
  nixSchema: 10,
};

const nothingKnown = { imageIdentity: null, imageStat: null, nixSchema: null };
const manifests: Manifest[] = [plain, { ...plain, xattrs: 'user', ...nothingKnown }];

for (const manifest of manifests) {
  test(`what was written is read: ${manifest.xattrs}`, () => {
    using directory = temporaryDirectory();
    const path = `${directory.path}/manifest.json`;
    writeManifest(path, manifest);
    assert.deepEqual(readManifest(path), manifest);
    assert.ok(readFileSync(path, 'utf8').endsWith('}\n'));
  });
}

test('a later one replaces the first, and nothing is left beside it', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/manifest.json`;
  // Longer than what comes after, and with a leftover of a kill.
  writeManifest(path, { ...plain, imageIdentity: 'x'.repeat(1000) });
  writeFileSync(`${path}.new`, 'half a manif'.repeat(1000));
  const next: Manifest = { ...plain, imageIdentity: null };
  writeManifest(path, next);
  assert.deepEqual(readManifest(path), next);
  assert.deepEqual(readdirSync(directory.path), ['manifest.json']);
});

test('a failed write leaves the old one', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/manifest.json`;
  writeManifest(path, plain);
  mkdirSync(`${path}.new`);
  assert.throws(() => writeManifest(path, { ...plain, imageIdentity: 'new' }), { code: 'EISDIR' });
  assert.deepEqual(readManifest(path), plain);
});

test('a volume without a manifest has none', () => {
  using directory = temporaryDirectory();
  assert.equal(readManifest(`${directory.path}/manifest.json`), undefined);
});

test('what a later version of format 1 adds is kept', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/manifest.json`;
  const later = { ...plain, strategy: 'prefix', ...nothingKnown, more: [1] };
  const text = JSON.stringify(later);
  writeFileSync(path, text);
  assert.deepEqual(readManifest(path), later);
});

/** The text of a manifest with other fields; undefined leaves one out. */
const changed = (changes: Record<string, unknown>): string => JSON.stringify({ ...plain, ...changes });

const damaged = /\/manifest\.json is damaged$/;
const remove = /^rm \/.*manifest\.json # the volume is adopted anew$/;
const foreign = /\/manifest\.json is of format .+, not 1$/;
const newer = /^use the nix-cache-init version that wrote it, or another volume$/;

const refused: [string, string, RegExp, RegExp][] = [
  ['empty', '', damaged, remove],
  ['half of one', '{"format":1,', damaged, remove],
  ['no object', 'null', damaged, remove],
  ['text', '"format"', damaged, remove],
  ['a list', '[]', damaged, remove],
  ['no format', changed({ format: undefined }), damaged, remove],
  ['a newer format', changed({ format: 2 }), /is of format 2, not 1$/, newer],
  ['a newer format that shares nothing else', '{"format":2}', /is of format 2, not 1$/, newer],
  ['a format as text', changed({ format: '1' }), foreign, newer],
  ['no format but null', changed({ format: null }), foreign, newer],
  ['a schema as text', changed({ nixSchema: '10' }), damaged, remove],
  ['a schema that is a truth', changed({ nixSchema: true }), damaged, remove],
  ['other attributes', changed({ xattrs: 'security' }), damaged, remove],
  ['no strategy', changed({ strategy: null }), damaged, remove],
  ['an identity as a number', changed({ imageIdentity: 5 }), damaged, remove],
  ['a look as an object', changed({ imageStat: {} }), damaged, remove],
  // Every field is checked by hand, so each has its turn.
  ...(['strategy', 'xattrs', 'imageIdentity', 'imageStat', 'nixSchema'] as const).map(
    (name): [string, string, RegExp, RegExp] => [
      `without ${name}`,
      changed({ [name]: undefined }),
      damaged,
      remove,
    ],
  ),
];

for (const [name, text, what, remedy] of refused) {
  test(`a manifest is refused with 78: ${name}`, () => {
    using directory = temporaryDirectory();
    const path = `${directory.path}/manifest.json`;
    writeFileSync(path, text);
    const expected = isInitError({ exitCode: 78, stage: 'facts', errno: 'EINVAL', what, remedy });
    assert.throws(() => readManifest(path), expected);
    assert.equal(readFileSync(path, 'utf8'), text);
  });
}

test('one that cannot be read is no volume without one', () => {
  using directory = temporaryDirectory();
  assert.throws(() => readManifest(directory.path), { code: 'EISDIR' });
});
