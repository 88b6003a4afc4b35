import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { combineDatabases } from '../../../../src/state/lowers/combine.ts';
import { isInitError, temporaryDirectory } from '../../fixtures.ts';
import { combined, type LayerSpec, makeLayer } from './ground.ts';

const own = (hash: string) => ({ hash: `sha256:${hash}` });

async function rowsOf(image: LayerSpec, ...lowers: LayerSpec[]): Promise<string[]> {
  using directory = temporaryDirectory();
  const rows = await combined(directory.path, image, lowers);
  return rows.map(({ name, hash, refs }) => `${name} ${hash.slice(7)}: ${refs.join(' ')}`.trim());
}

test("the image's row counts, then that of the first lower that has the path", async () => {
  const rows = await rowsOf(
    { paths: { a: own('image') } },
    { paths: { a: own('first'), b: own('first') } },
    { paths: { a: own('second'), b: own('second'), c: own('second') } },
  );
  assert.deepEqual(rows, ['a image:', 'b first:', 'c second:']);
});

test('a path refers to what any of the layers has, above or below its own, and to itself', async () => {
  const rows = await rowsOf(
    { paths: { libc: {} } },
    { paths: { app: { refs: ['app', 'libc', 'lib'] }, libc: {}, lib: {} }, absent: ['lib', 'libc'] },
    { paths: { lib: { refs: ['libc'] }, libc: {} }, absent: ['libc'] },
  );
  assert.deepEqual(rows, ['app 0: app lib libc', 'lib 0: libc', 'libc 0:']);
});

test('what a lower does not have, or not with all that it needs, is not known', async () => {
  const rows = await rowsOf(
    { paths: { a: {} } },
    {
      paths: {
        gone: {},
        onGone: { refs: ['gone'] },
        onThat: { refs: ['onGone', 'a'] },
        a: {},
        b: { refs: ['a'] },
      },
      absent: ['gone', 'a'],
    },
  );
  assert.deepEqual(rows, ['a 0:', 'b 0: a']);
});

test('a row counts only where its path is: the next lower that has it serves', async () => {
  const rows = await rowsOf(
    { paths: {} },
    { paths: { a: own('first') }, absent: ['a'] },
    { paths: { a: own('second') } },
  );
  assert.deepEqual(rows, ['a second:']);
});

test('a lower without a database adds nothing, and an image without one has the lowers’ rows', async () => {
  assert.deepEqual(await rowsOf({ paths: { a: {} } }, { paths: { b: {} }, bare: true }), ['a 0:']);
  assert.deepEqual(await rowsOf({ paths: {}, bare: true }, { paths: { b: {} } }), ['b 0:']);
});

test('where nobody has a database there is none afterwards', async () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  const [image, lower] = ['i', 'l'].map((name) => makeLayer(base, name, { paths: { a: {} }, bare: true }));
  assert.ok(image && lower);
  const to = `${base}/to`;
  await combineDatabases({
    image,
    lowers: [lower],
    names: [lower.names],
    storeDir: '/nix/store',
    to,
    breathe,
  });
  assert.equal(existsSync(`${to}/db/db.sqlite`), false);
});

const breathe = async (): Promise<void> => {};

test('a damaged database of a lower is named; neither store is touched by anything else', async () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  const image = makeLayer(base, 'i', { paths: { a: {} } });
  const lower = makeLayer(base, 'l', { paths: { b: {} } });
  const request = { image, lowers: [lower], names: [lower.names], storeDir: '/nix/store', breathe };
  const listed = (): string[] => readdirSync(`${base}/l`, { recursive: true }).map(String).sort();
  const before = listed();
  await combineDatabases({ ...request, to: `${base}/to` });
  assert.deepEqual(listed(), before);
  rmSync(`${lower.stateDir}/db/db.sqlite-wal`, { force: true });
  writeFileSync(`${lower.stateDir}/db/db.sqlite`, 'no database at all, and long enough to be read as one');
  await assert.rejects(
    combineDatabases({ ...request, to: `${base}/to` }),
    isInitError({
      exitCode: 78,
      errno: 'EUCLEAN',
      what: /lower, .*\/l\/var\/nix\/db\/db.sqlite/,
      remedy: /lowers/,
    }),
  );
});
