import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Manifest, readManifest, writeManifest } from '../../../src/volume/manifest.ts';
import { isInitError, temporaryDirectory } from '../fixtures.ts';

const plain: Manifest = {
  format: 1,
  strategy: 'overlay',
  xattrs: 'trusted',
  imageIdentity: '5-4-5-4096-1',
  nixSchema: 10,
};

const manifests: Manifest[] = [plain, { ...plain, xattrs: 'user', imageIdentity: null, nixSchema: null }];

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
  const text =
    '{"format":1,"strategy":"prefix","xattrs":"user","imageIdentity":null,"nixSchema":null,"more":[1]}';
  writeFileSync(path, text);
  assert.deepEqual(readManifest(path), JSON.parse(text));
});

const good = '"strategy":"overlay","xattrs":"trusted","imageIdentity":null,"nixSchema":10';
const damaged = /is damaged$/;
const foreign = /is not of format 1$/;

const refused: [string, string, RegExp, RegExp][] = [
  ['empty', '', damaged, /^look at it; .*rm \/.*manifest\.json$/],
  ['half of one', '{"format":1,', damaged, /rm /],
  ['a newer format', `{"format":2,${good}}`, foreign, /version that wrote it/],
  ['no format', `{${good}}`, foreign, /version that wrote it/],
  ['a format as text', `{"format":"1",${good}}`, foreign, /version that wrote it/],
  ['no object', 'null', foreign, /version that wrote it/],
  ['a schema as text', `{"format":1,${good},"nixSchema":"10"}`, foreign, /another volume/],
  ['other attributes', `{"format":1,${good},"xattrs":"security"}`, foreign, /another volume/],
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
