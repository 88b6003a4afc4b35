import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { databaseIdentity, databaseStat } from '../../../../src/state/identity.ts';
import type { Step } from '../../../../src/store/plan.ts';
import { seed } from '../../../../src/store/steps/seed.ts';
import { readManifest, writeManifest } from '../../../../src/volume/manifest.ts';
import { recordingLog, temporaryDirectory } from '../../fixtures.ts';
import { addPath, createDatabase, openDatabase } from '../../state/database.ts';

type Seed = Step & { do: 'seed' };

/** An image with a database of schema 10, and a volume that only init's own directory is on. */
function prepare(base: string): Seed {
  const own = `${base}/volume/own`;
  mkdirSync(own, { recursive: true });
  makeState(`${base}/image`, 'image', '10');
  return {
    do: 'seed',
    from: `${base}/image`,
    to: `${base}/volume/nix`,
    staging: `${own}/seed`,
    trash: `${own}/trash`,
    manifest: { path: `${own}/manifest.json`, strategy: 'overlay', xattrs: 'user' },
  };
}

function makeState(stateDir: string, path: string, schema: string): void {
  using database = createDatabase(stateDir);
  addPath(database, path);
  writeFileSync(`${stateDir}/db/schema`, schema);
}

const { signal } = new AbortController();

test('a new volume gets a manifest that tells the image, and nothing is said', async () => {
  using directory = temporaryDirectory();
  const step = prepare(directory.path);
  const { log, lines } = recordingLog();
  await seed(step, log, signal);
  assert.deepEqual(readManifest(step.manifest.path), {
    format: 1,
    strategy: 'overlay',
    xattrs: 'user',
    imageIdentity: await databaseIdentity(step.from),
    imageStat: databaseStat(step.from),
    nixSchema: 10,
  });
  assert.deepEqual(lines, []);
});

test('the second boot with the same image changes nothing and says nothing', async () => {
  using directory = temporaryDirectory();
  const step = prepare(directory.path);
  const { log, lines } = recordingLog();
  await seed(step, log, signal);
  const before = readManifest(step.manifest.path);
  // What the volume's database has become is not what the image is known by.
  using database = openDatabase(step.to);
  addPath(database, 'built since');
  await seed(step, log, signal);
  assert.deepEqual(readManifest(step.manifest.path), before);
  assert.deepEqual(lines, []);
});

test('a volume of the shell recipe is adopted: its image is not known, its schema is its own', async () => {
  using directory = temporaryDirectory();
  const step = prepare(directory.path);
  makeState(step.to, 'recipe', '9');
  const { log, lines } = recordingLog();
  await seed(step, log, signal);
  const manifest = readManifest(step.manifest.path);
  assert.deepEqual([manifest?.imageIdentity, manifest?.imageStat, manifest?.nixSchema], [null, null, 9]);
  assert.match(lines.join('\n'), /^info: adopting the volume/);
  await seed(step, log, signal);
  assert.equal(lines.length, 1);
});

test('another image than the volume was made with is warned of', async () => {
  using directory = temporaryDirectory();
  const step = prepare(directory.path);
  const { log, lines } = recordingLog();
  await seed(step, log, signal);
  makeState(`${directory.path}/upgrade`, 'a much longer path'.repeat(1000), '10');
  await seed({ ...step, from: `${directory.path}/upgrade` }, log, signal);
  assert.match(lines.join('\n'), /^warn: the image is not the one/);
});

/** Where the image's database is. */
const imageFile = ({ from }: Seed): string => `${from}/db/db.sqlite`;

test('the same image with other times is known by its contents, and from then on by its looks', async () => {
  using directory = temporaryDirectory();
  const step = prepare(directory.path);
  const { log, lines } = recordingLog();
  await seed(step, log, signal);
  const before = readManifest(step.manifest.path);
  utimesSync(imageFile(step), 1, 1);
  await seed(step, log, signal);
  const imageStat = databaseStat(step.from);
  assert.notEqual(imageStat, before?.imageStat);
  assert.deepEqual(readManifest(step.manifest.path), { ...before, imageStat });
  assert.deepEqual(lines, []);
});

test('an image that looks as it did is not read', async () => {
  using directory = temporaryDirectory();
  const step = prepare(directory.path);
  const { log, lines } = recordingLog();
  await seed(step, log, signal);
  const manifest = readManifest(step.manifest.path);
  assert.ok(manifest);
  // Reading it would show that this is not its hash.
  writeManifest(step.manifest.path, { ...manifest, imageIdentity: 'sha256-other' });
  await seed(step, log, signal);
  assert.deepEqual(lines, []);
});

test('an upgrade that keeps size and time is warned of, at every boot until it is dealt with', async () => {
  using directory = temporaryDirectory();
  const step = prepare(directory.path);
  const { log, lines } = recordingLog();
  utimesSync(imageFile(step), 1, 1);
  await seed(step, log, signal);
  const before = readManifest(step.manifest.path);
  const { size } = statSync(imageFile(step));
  const database = openDatabase(step.from);
  database.exec("UPDATE ValidPaths SET path = 'imago'");
  database.close();
  utimesSync(imageFile(step), 1, 1);
  const { size: sizeAfter, mtimeMs } = statSync(imageFile(step));
  assert.deepEqual([sizeAfter, mtimeMs], [size, 1000]);
  for (const _ of ['first', 'second']) await seed(step, log, signal);
  assert.equal(lines.length, 2);
  for (const line of lines) assert.match(line, /^warn: the image is not the one/);
  // What the volume was made with is still what it was.
  assert.deepEqual(readManifest(step.manifest.path), before);
});

test('an image that lost its database is another one', async () => {
  using directory = temporaryDirectory();
  const step = prepare(directory.path);
  const { log, lines } = recordingLog();
  await seed(step, log, signal);
  rmSync(imageFile(step));
  await seed(step, log, signal);
  assert.match(lines.join('\n'), /^warn: the image is not the one/);
});

test('a stop while the image is compared ends it with the reason, the manifest as it was', async () => {
  using directory = temporaryDirectory();
  const step = prepare(directory.path);
  await seed(step, recordingLog().log, signal);
  const before = readManifest(step.manifest.path);
  // Seconds of hashing, in no space at all.
  truncateSync(imageFile(step), 4 * 1024 ** 3);
  const stop = new AbortController();
  const reason = new Error('SIGTERM');
  setImmediate(() => stop.abort(reason));
  await assert.rejects(seed(step, recordingLog().log, stop.signal), reason);
  assert.deepEqual(readManifest(step.manifest.path), before);
});

test('an image without a database has no identity, and none is missed', async () => {
  using directory = temporaryDirectory();
  const step = { ...prepare(directory.path), from: `${directory.path}/bare` };
  mkdirSync(`${step.from}/profiles`, { recursive: true });
  const { log, lines } = recordingLog();
  for (const _ of ['first', 'second']) await seed(step, log, signal);
  const manifest = readManifest(step.manifest.path);
  assert.deepEqual([manifest?.imageIdentity, manifest?.imageStat, manifest?.nixSchema], [null, null, null]);
  assert.deepEqual(lines, []);
});

test('a stop during the seeding ends it with the reason and leaves no state', async () => {
  using directory = temporaryDirectory();
  const step = prepare(directory.path);
  // Enough for the seeding to look up before its end: it does so every 10 ms.
  for (let index = 0; index < 3000; index += 1) symlinkSync('x', `${step.from}/${index}`);
  const stop = new AbortController();
  const reason = new Error('SIGTERM');
  setImmediate(() => stop.abort(reason));
  await assert.rejects(seed(step, recordingLog().log, stop.signal), reason);
  assert.deepEqual(
    [existsSync(step.to), existsSync(step.staging), existsSync(step.manifest.path)],
    [false, false, false],
  );
});
