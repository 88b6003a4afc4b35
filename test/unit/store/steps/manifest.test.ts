import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { claimVolume } from '../../../../src/store/steps/manifest.ts';
import { type Manifest, readManifest, writeManifest } from '../../../../src/volume/manifest.ts';
import { isInitError, temporaryDirectory } from '../../fixtures.ts';

const claim = (path: string): void => claimVolume({ do: 'manifest', path, strategy: 'prefix' });

test('a new volume is of that strategy from then on', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/manifest.json`;
  claim(path);
  const known = readManifest(path);
  assert.deepEqual([known?.strategy, known?.xattrs, known?.imageIdentity], ['prefix', null, null]);
});

test('what an overlay knows of its own is kept', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/manifest.json`;
  const overlay: Manifest = {
    format: 1,
    strategy: 'overlay',
    xattrs: 'user',
    imageIdentity: 'i',
    imageStat: 's',
    nixSchema: 10,
  };
  writeManifest(path, overlay);
  claim(path);
  assert.deepEqual(readManifest(path), overlay);
});

test('a volume of a newer version is refused with 78', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/manifest.json`;
  writeFileSync(path, '{"format":2}');
  assert.throws(() => claim(path), isInitError({ exitCode: 78, what: /is of format 2, not 1$/ }));
});
