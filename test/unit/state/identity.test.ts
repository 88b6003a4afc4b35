import assert from 'node:assert/strict';
import {
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { databaseSchemas, imageIdentity, imageLooks, mayBeAlike } from '../../../src/state/identity.ts';
import { temporaryDirectory } from '../fixtures.ts';
import { addPath, createDatabase, openDatabase } from './database.ts';

const file = (stateDir: string): string => `${stateDir}/db/db.sqlite`;

/** The identity of an image with nothing in its store. */
const databaseIdentity = (stateDir: string, onBytes?: () => Promise<void>): Promise<string> =>
  imageIdentity({ stateDir, storeDir: `${stateDir}/no-store` }, [], onBytes);

const databaseStat = (stateDir: string): string => imageLooks({ stateDir, storeDir: `${stateDir}/no-store` });

/** Takes time out of the comparison, so that only the contents can differ. */
const freeze = (path: string): void => utimesSync(path, 1, 1);

/** A checkpointed database, as a container image carries it. */
function makeImage(stateDir: string, ...paths: string[]): void {
  using database = createDatabase(stateDir);
  for (const path of paths) addPath(database, path);
}

test('without a database an image is known by the names in its store', async () => {
  using directory = temporaryDirectory();
  const image = { stateDir: `${directory.path}/no`, storeDir: directory.path };
  const names = await imageIdentity(image, ['b', 'a']);
  assert.equal(await imageIdentity(image, new Set(['a', 'b'])), names);
  assert.notEqual(await imageIdentity(image, ['a']), names);
});

test('a path that came into the store, or went, changes the looks', () => {
  using directory = temporaryDirectory();
  const image = { stateDir: `${directory.path}/no`, storeDir: directory.path };
  const before = imageLooks(image);
  assert.equal(imageLooks(image), before);
  utimesSync(directory.path, 1, 1);
  assert.notEqual(imageLooks(image), before);
});

test('looking twice gives the same, and changes nothing', async () => {
  using directory = temporaryDirectory();
  makeImage(directory.path, 'a');
  const before = lstatSync(file(directory.path), { bigint: true });
  const [identity, stat] = [await databaseIdentity(directory.path), databaseStat(directory.path)];
  assert.match(String(identity), /^sha256-[0-9a-f]{64}$/);
  assert.equal(typeof stat, 'string');
  assert.equal(await databaseIdentity(directory.path), identity);
  assert.equal(databaseStat(directory.path), stat);
  const after = lstatSync(file(directory.path), { bigint: true });
  assert.deepEqual([after.size, after.mtimeNs, after.ino], [before.size, before.mtimeNs, before.ino]);
});

test('a copy in another place is the same image, whatever its times', async () => {
  using directory = temporaryDirectory();
  const other = `${directory.path}/other`;
  makeImage(directory.path, 'a');
  mkdirSync(`${other}/db`, { recursive: true });
  copyFileSync(file(directory.path), file(other));
  freeze(file(other));
  assert.equal(await databaseIdentity(other), await databaseIdentity(directory.path));
});

/** Adds a row without the size or the time changing, and tells the identities before and after. */
async function addQuietly(stateDir: string, mode: 'WAL' | 'DELETE'): Promise<[string, string]> {
  makeImage(stateDir, 'a');
  const change = (path: string): [number, bigint] => {
    using database = openDatabase(stateDir);
    database.exec(`PRAGMA journal_mode = ${mode}`);
    addPath(database, path);
    database.close();
    freeze(file(stateDir));
    const { size, mtimeNs } = lstatSync(file(stateDir), { bigint: true });
    return [Number(size), mtimeNs];
  };
  const looks = change('b');
  const before = await databaseIdentity(stateDir);
  assert.deepEqual(change('c'), looks);
  return [before, await databaseIdentity(stateDir)];
}

test('only images with a database and a log of the same sizes may be the same', () => {
  using directory = temporaryDirectory();
  makeImage(directory.path, 'a');
  const before = databaseStat(directory.path);
  freeze(file(directory.path));
  assert.notEqual(databaseStat(directory.path), before);
  assert.equal(mayBeAlike(databaseStat(directory.path), before), true);
  truncateSync(file(directory.path), lstatSync(file(directory.path)).size + 1);
  assert.equal(mayBeAlike(databaseStat(directory.path), before), false);
  assert.equal(mayBeAlike(databaseStat(`${directory.path}/no`), before), false);
});

// What an image builder that sets all times to a fixed one (SOURCE_DATE_EPOCH) makes of a small upgrade. In WAL mode,
// which is how Nix keeps its database, SQLite also leaves the header's change counter alone.
for (const mode of ['DELETE', 'WAL'] as const) {
  test(`a committed transaction changes it, also where size and time stay: ${mode}`, async () => {
    using directory = temporaryDirectory();
    const [before, after] = await addQuietly(directory.path, mode);
    assert.equal(typeof before, 'string');
    assert.notEqual(after, before);
  });
}

test('time alone changes the looks, and not the identity', async () => {
  using directory = temporaryDirectory();
  makeImage(directory.path, 'a');
  freeze(file(directory.path));
  const [identity, stat] = [await databaseIdentity(directory.path), databaseStat(directory.path)];
  utimesSync(file(directory.path), 1, 2);
  assert.notEqual(databaseStat(directory.path), stat);
  assert.equal(await databaseIdentity(directory.path), identity);
});

test('setting the time back does not bring the looks back', () => {
  using directory = temporaryDirectory();
  makeImage(directory.path, 'a');
  freeze(file(directory.path));
  const [stat, { size }] = [databaseStat(directory.path), lstatSync(file(directory.path))];
  writeFileSync(file(directory.path), Buffer.alloc(size));
  freeze(file(directory.path));
  assert.notEqual(databaseStat(directory.path), stat);
});

test('a log that was not checkpointed counts, an empty one does not', async () => {
  using directory = temporaryDirectory();
  makeImage(directory.path, 'a');
  const [before, bare] = [await databaseIdentity(directory.path), databaseStat(directory.path)];
  using database = openDatabase(directory.path);
  assert.equal(await databaseIdentity(directory.path), before);
  addPath(database, 'b');
  const [logged, stat] = [await databaseIdentity(directory.path), databaseStat(directory.path)];
  assert.notEqual(logged, before);
  assert.notEqual(stat, bare);
  addPath(database, 'c');
  assert.notEqual(await databaseIdentity(directory.path), logged);
  assert.notEqual(databaseStat(directory.path), stat);
});

test('a leftover of a database is none to fail on', async () => {
  using directory = temporaryDirectory();
  mkdirSync(`${directory.path}/db`);
  writeFileSync(file(directory.path), 'short');
  assert.equal(typeof (await databaseIdentity(directory.path)), 'string');
  assert.equal(typeof databaseStat(directory.path), 'string');
});

/** More than is hashed at once, and no multiple of it. */
function makeLarge(stateDir: string, first: string, last: string): void {
  const contents = Buffer.concat([
    Buffer.from(first),
    Buffer.alloc(39 * 1024 * 1024, 'nix'),
    Buffer.from(last),
  ]);
  mkdirSync(`${stateDir}/db`, { recursive: true });
  writeFileSync(file(stateDir), contents);
}

test('all of a large database counts, its last byte too', async () => {
  using directory = temporaryDirectory();
  const identities: string[] = [];
  for (const [first, last] of [
    ['a', 'a'],
    ['a', 'b'],
    ['b', 'a'],
    ['b', 'b'],
  ] as const) {
    makeLarge(directory.path, first, last);
    identities.push(await databaseIdentity(directory.path));
    assert.equal(await databaseIdentity(directory.path), identities.at(-1));
  }
  assert.equal(new Set(identities).size, 4);
});

test('between its pieces the caller is asked, and a throw ends it with nothing left open', async () => {
  using directory = temporaryDirectory();
  makeLarge(directory.path, 'a', 'a');
  const open = (): number => readdirSync('/proc/self/fd').length;
  await databaseIdentity(directory.path);
  const before = open();
  const stop = new Error('stop');
  let calls = 0;
  const onBytes = async (): Promise<void> => {
    calls += 1;
    if (calls === 2) throw stop;
  };
  await assert.rejects(databaseIdentity(directory.path, onBytes), stop);
  assert.equal(calls, 2);
  assert.equal(open(), before);
});

const schemas: [string, number | null][] = [
  ['10', 10],
  ['10\n', 10],
  ['', null],
  ['ten', null],
];

for (const [text, schema] of schemas) {
  for (const [name, key] of [
    ['schema', 'schema'],
    ['ca-schema', 'ca'],
  ] as const) {
    test(`the file ${name} ${JSON.stringify(text)} says ${schema}`, () => {
      using directory = temporaryDirectory();
      mkdirSync(`${directory.path}/db`);
      writeFileSync(`${directory.path}/db/${name}`, text);
      assert.deepEqual(databaseSchemas(directory.path), { schema: null, ca: null, [key]: schema });
    });
  }
}

test('without schema files there are no schemas', () => {
  using directory = temporaryDirectory();
  assert.deepEqual(databaseSchemas(directory.path), { schema: null, ca: null });
});
