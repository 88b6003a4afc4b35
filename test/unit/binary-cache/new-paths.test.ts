import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import {
  databaseLooks,
  lastPath,
  narinfoOf,
  pathsSince,
  validPaths,
} from '../../../src/binary-cache/new-paths.ts';
import { nixSchema } from '../../harness/nixSchema.ts';
import { temporaryDirectory } from '../fixtures.ts';

const path = (name: string): string => `/nix/store/${'0'.repeat(32)}-${name}`;

/** A state directory whose database stays open, as with a Nix that runs. */
function makeState(stateDir: string): DatabaseSync {
  mkdirSync(`${stateDir}/db`);
  const database = new DatabaseSync(`${stateDir}/db/db.sqlite`);
  database.exec('pragma journal_mode = wal');
  database.exec(nixSchema);
  return database;
}

function add(database: DatabaseSync, ...names: string[]): void {
  const insert = database.prepare(`insert into ValidPaths (path, hash, registrationTime) values (?, 'x', 0)`);
  for (const name of names) insert.run(path(name));
}

test('what a store has got since, but derivations', () => {
  using directory = temporaryDirectory();
  using database = makeState(directory.path);
  add(database, 'a', 'b');
  const last = lastPath(directory.path);
  assert.equal(last, 2);
  assert.deepEqual(pathsSince(directory.path, last), []);
  add(database, 'c', 'c.drv', 'd');
  assert.deepEqual(pathsSince(directory.path, last), [
    { id: 3, path: path('c') },
    { id: 5, path: path('d') },
  ]);
});

test('a path that was collected and came back is new', () => {
  using directory = temporaryDirectory();
  using database = makeState(directory.path);
  add(database, 'a', 'b');
  database.exec('delete from ValidPaths');
  add(database, 'b');
  assert.deepEqual(pathsSince(directory.path, 2), [{ id: 3, path: path('b') }]);
});

test('which of these are valid', () => {
  using directory = temporaryDirectory();
  using database = makeState(directory.path);
  add(database, 'a', 'b');
  assert.deepEqual(validPaths(directory.path, [path('b'), path('x')]), new Set([path('b')]));
});

test('without a database there is nothing', () => {
  using directory = temporaryDirectory();
  assert.equal(lastPath(directory.path), 0);
  assert.deepEqual(pathsSince(directory.path, 0), []);
  assert.equal(validPaths(directory.path, [path('a')]).size, 0);
});

test('looking at it does not change how it looks, adding to it does', () => {
  using directory = temporaryDirectory();
  {
    using database = makeState(directory.path);
    add(database, 'a');
  }
  const before = databaseLooks(directory.path);
  pathsSince(directory.path, 0);
  assert.equal(databaseLooks(directory.path), before);
  using database = new DatabaseSync(`${directory.path}/db/db.sqlite`);
  add(database, 'b');
  assert.notEqual(databaseLooks(directory.path), before);
});

test('a database that is locked is not waited for', () => {
  using directory = temporaryDirectory();
  using database = makeState(directory.path);
  database.exec('pragma journal_mode = delete; begin exclusive');
  assert.throws(() => pathsSince(directory.path, 0), { code: 'EBUSY' });
});

test('the cache knows a path by its hash', () => {
  assert.equal(narinfoOf('/v/c', path('a')), `/v/c/${'0'.repeat(32)}.narinfo`);
});
