import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { test } from 'node:test';
import type { Step } from '../../../../src/store/plan.ts';
import { seed } from '../../../../src/store/steps/seed.ts';
import { type Manifest, readManifest, writeManifest } from '../../../../src/volume/manifest.ts';
import { recordingLog, temporaryDirectory } from '../../fixtures.ts';
import { addPath, createDatabase, readPaths } from '../../state/database.ts';

type Seed = Step & { do: 'seed' };

/** An image with a database, and a volume that only init's own directory is on. */
function prepare(base: string): Seed {
  const own = `${base}/volume/own`;
  mkdirSync(own, { recursive: true });
  using database = createDatabase(`${base}/image`);
  addPath(database, 'image');
  return {
    do: 'seed',
    from: `${base}/image`,
    to: `${base}/volume/nix`,
    staging: `${own}/seed`,
    trash: `${own}/trash`,
    manifest: `${own}/manifest.json`,
  };
}

const { signal } = new AbortController();
const { log, lines } = recordingLog();

test('a new volume gets the state of the image, and no manifest yet: it is not reconciled', async () => {
  using directory = temporaryDirectory();
  const step = prepare(directory.path);
  await seed(step, log, signal);
  assert.deepEqual(readPaths(step.to), ['image']);
  assert.equal(readManifest(step.manifest), undefined);
  assert.deepEqual(lines, []);
});

const manifest: Manifest = {
  format: 1,
  strategy: 'overlay',
  xattrs: 'trusted',
  imageIdentity: 'sha256-known',
  imageStat: 'looks',
  nixSchema: 10,
};

test('a volume that lost its database knows no image until it is reconciled', async () => {
  using directory = temporaryDirectory();
  const step = prepare(directory.path);
  writeManifest(step.manifest, manifest);
  await seed(step, log, signal);
  assert.deepEqual(readManifest(step.manifest), { ...manifest, imageIdentity: null, imageStat: null });
});

test('a volume with a database is left alone, its manifest too', async () => {
  using directory = temporaryDirectory();
  const step = prepare(directory.path);
  await seed(step, log, signal);
  writeManifest(step.manifest, manifest);
  rmSync(step.from, { recursive: true });
  await seed(step, log, signal);
  assert.deepEqual(readManifest(step.manifest), manifest);
});

test('a stop during the seeding ends it with the reason and leaves no state', async () => {
  using directory = temporaryDirectory();
  const step = prepare(directory.path);
  // Enough for the seeding to look up before its end: it does so every 10 ms.
  for (let index = 0; index < 3000; index += 1) symlinkSync('x', `${step.from}/${index}`);
  const stop = new AbortController();
  const reason = new Error('SIGTERM');
  setImmediate(() => stop.abort(reason));
  await assert.rejects(seed(step, log, stop.signal), reason);
  assert.deepEqual([existsSync(step.to), existsSync(step.staging)], [false, false]);
});
