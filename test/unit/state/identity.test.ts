import assert from 'node:assert/strict';
import { copyFileSync, lstatSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { databaseIdentity, databaseSchema } from '../../../src/state/identity.ts';
import { temporaryDirectory } from '../fixtures.ts';
import { addPath, createDatabase, openDatabase } from './database.ts';

const file = (stateDir: string): string => `${stateDir}/db/db.sqlite`;

/** Takes time out of the comparison, so that only the contents can differ. */
const freeze = (path: string): void => utimesSync(path, 1, 1);

/** A checkpointed database, as a container image carries it. */
function makeImage(stateDir: string, ...paths: string[]): void {
  using database = createDatabase(stateDir);
  for (const path of paths) addPath(database, path);
}

test('without a database there is no identity', () => {
  using directory = temporaryDirectory();
  assert.equal(databaseIdentity(directory.path), null);
  assert.equal(databaseIdentity(`${directory.path}/no`), null);
});

test('looking twice gives the same, and changes nothing', () => {
  using directory = temporaryDirectory();
  makeImage(directory.path, 'a');
  const before = lstatSync(file(directory.path), { bigint: true });
  const identity = databaseIdentity(directory.path);
  assert.equal(typeof identity, 'string');
  assert.equal(databaseIdentity(directory.path), identity);
  const after = lstatSync(file(directory.path), { bigint: true });
  assert.deepEqual([after.size, after.mtimeNs, after.ino], [before.size, before.mtimeNs, before.ino]);
});

test('a copy in another place with the same time is the same image', () => {
  using directory = temporaryDirectory();
  const other = `${directory.path}/other`;
  makeImage(directory.path, 'a');
  mkdirSync(`${other}/db`, { recursive: true });
  copyFileSync(file(directory.path), file(other));
  for (const stateDir of [directory.path, other]) freeze(file(stateDir));
  assert.equal(databaseIdentity(other), databaseIdentity(directory.path));
});

/** Adds a row without the size or the time changing, and tells the identities before and after. */
function addQuietly(stateDir: string, mode: 'WAL' | 'DELETE'): [string | null, string | null] {
  makeImage(stateDir, 'a');
  const change = (path: string): number => {
    using database = openDatabase(stateDir);
    database.exec(`PRAGMA journal_mode = ${mode}`);
    addPath(database, path);
    database.close();
    freeze(file(stateDir));
    return lstatSync(file(stateDir)).size;
  };
  const size = change('b');
  const before = databaseIdentity(stateDir);
  assert.equal(change('c'), size);
  return [before, databaseIdentity(stateDir)];
}

test('a committed transaction changes it, also where size and time stay', () => {
  using directory = temporaryDirectory();
  const [before, after] = addQuietly(directory.path, 'DELETE');
  assert.notEqual(after, before);
});

// What an image builder that sets all times to a fixed one (SOURCE_DATE_EPOCH) makes of a small upgrade.
const noCounter = 'SQLite leaves the change counter alone in WAL mode, which is how Nix keeps its database';
test('so does one of a write-ahead log that was checkpointed', { todo: noCounter }, () => {
  using directory = temporaryDirectory();
  const [before, after] = addQuietly(directory.path, 'WAL');
  assert.notEqual(after, before);
});

test('time alone changes it', () => {
  using directory = temporaryDirectory();
  makeImage(directory.path, 'a');
  freeze(file(directory.path));
  const before = databaseIdentity(directory.path);
  utimesSync(file(directory.path), 1, 2);
  assert.notEqual(databaseIdentity(directory.path), before);
});

test('a log that was not checkpointed counts, an empty one does not', () => {
  using directory = temporaryDirectory();
  makeImage(directory.path, 'a');
  const before = databaseIdentity(directory.path);
  using database = openDatabase(directory.path);
  assert.equal(databaseIdentity(directory.path), before);
  addPath(database, 'b');
  const logged = databaseIdentity(directory.path);
  assert.notEqual(logged, before);
  addPath(database, 'c');
  assert.notEqual(databaseIdentity(directory.path), logged);
});

test('a leftover of a database is none to fail on', () => {
  using directory = temporaryDirectory();
  mkdirSync(`${directory.path}/db`);
  writeFileSync(file(directory.path), 'short');
  assert.equal(typeof databaseIdentity(directory.path), 'string');
});

const schemas: [string, number | null][] = [
  ['10', 10],
  ['10\n', 10],
  ['', null],
  ['ten', null],
];

for (const [text, schema] of schemas) {
  test(`the schema file ${JSON.stringify(text)} says ${schema}`, () => {
    using directory = temporaryDirectory();
    mkdirSync(`${directory.path}/db`);
    writeFileSync(`${directory.path}/db/schema`, text);
    assert.equal(databaseSchema(directory.path), schema);
  });
}

test('without a schema file there is no schema', () => {
  using directory = temporaryDirectory();
  assert.equal(databaseSchema(directory.path), null);
});
