import assert from 'node:assert/strict';
import { closeSync, copyFileSync, existsSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { beginTransaction } from '../../../src/state/transaction.ts';
import { temporaryDirectory } from '../fixtures.ts';

/** What somebody finds who has these files of a database, as after a power cut, and no others. */
function rowsIn(file: string, copy: string, suffixes: readonly string[]): number {
  for (const suffix of suffixes) copyFileSync(file + suffix, copy + suffix);
  using database = new DatabaseSync(copy);
  return database.prepare('select * from made').all().length;
}

for (const mode of ['wal', 'delete']) {
  test(`what is done beside has the transaction in the log, and after it the file has it: ${mode}`, async () => {
    using directory = temporaryDirectory();
    const file = `${directory.path}/db.sqlite`;
    const logs = mode === 'wal' ? ['-wal'] : [];
    using made = new DatabaseSync(file);
    made.exec(`pragma journal_mode = ${mode}; create table made (id integer primary key)`);
    made.close();
    using database = new DatabaseSync(file);
    database.exec('pragma locking_mode = exclusive');
    const fd = openSync(file, 'r');
    const transaction = beginTransaction(database, file, fd);
    database.exec('insert into made values (1), (2)');
    let beside = 0;
    let rest = 0;
    await transaction.commit(() => {
      beside = rowsIn(file, `${directory.path}/beside`, ['', ...logs]);
      return () => {
        rest = rowsIn(file, `${directory.path}/rest`, ['']);
      };
    });
    assert.deepEqual([beside, rest], [2, 2]);
    assert.equal(rowsIn(file, `${directory.path}/after`, ['']), 2);
    // Whatever is done next is as durable as SQLite makes it.
    assert.deepEqual({ ...database.prepare('pragma main.synchronous').get() }, { synchronous: 2 });
    database.close();
    closeSync(fd);
    assert.ok(!existsSync(`${file}-wal`));
  });
}

test('what fails beside it ends it, with the transaction done', async () => {
  using directory = temporaryDirectory();
  const file = `${directory.path}/db.sqlite`;
  using database = new DatabaseSync(file);
  database.exec('pragma journal_mode = wal; create table made (id integer primary key)');
  const fd = openSync(file, 'r');
  const transaction = beginTransaction(database, file, fd);
  database.exec('insert into made values (1)');
  const failing = transaction.commit(() => {
    throw new Error('no room');
  });
  await assert.rejects(failing, /no room/);
  assert.deepEqual({ ...database.prepare('pragma main.synchronous').get() }, { synchronous: 2 });
  database.close();
  closeSync(fd);
  assert.equal(rowsIn(file, `${directory.path}/after`, ['']), 1);
});

test('what cannot be written back is in the log still, and no failure', async () => {
  using directory = temporaryDirectory();
  const file = `${directory.path}/db.sqlite`;
  using database = new DatabaseSync(file);
  database.exec('pragma journal_mode = wal; create table made (id integer primary key)');
  // Who reads an older state keeps the file from being changed.
  using reader = new DatabaseSync(file);
  reader.exec('begin; select * from made');
  const fd = openSync(file, 'r');
  const transaction = beginTransaction(database, file, fd);
  database.exec('insert into made values (1)');
  await transaction.commit(() => () => {});
  assert.deepEqual({ ...database.prepare('pragma main.synchronous').get() }, { synchronous: 2 });
  closeSync(fd);
  assert.equal(rowsIn(file, `${directory.path}/log`, ['', '-wal']), 1);
});
