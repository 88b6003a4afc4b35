import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { databaseFile, withDatabase } from '../../../src/state/database.ts';
import { temporaryDirectory } from '../fixtures.ts';

const damaged = { stage: 'reconcile', what: 'damaged', remedy: 'repair it' } as const;

test('a file that SQLite cannot open has the errno that the kernel gives', async () => {
  using directory = temporaryDirectory();
  const file = databaseFile(directory.path);
  mkdirSync(`${directory.path}/db`);
  const made = new DatabaseSync(file);
  made.exec('pragma journal_mode = wal; create table ValidPaths (id integer primary key)');
  made.close();
  mkdirSync(`${file}-wal`);
  const reading = withDatabase(directory.path, damaged, async (database) => {
    database.exec('select * from ValidPaths');
  });
  await assert.rejects(reading, { name: 'DatabaseError', code: 'EISDIR' });
});
