import assert from 'node:assert/strict';
import { cpSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Closes the log, as SQLite does when the last user of a database goes, and leaves it without one. */
export function leaveWriteAheadMode(db: string): void {
  using database = new DatabaseSync(join(db, 'db.sqlite'));
  const { journal_mode: mode } = database.prepare('PRAGMA journal_mode = DELETE').get() ?? {};
  assert.equal(mode, 'delete');
}

/** Takes half of the rows out of the database file and writes them again, copying while the log alone holds them. */
export function moveRowsIntoLog(db: string): void {
  const file = join(db, 'db.sqlite');
  const copy = join(dirname(db), 'logged');
  let all: number;
  {
    using database = new DatabaseSync(file, { enableForeignKeyConstraints: false });
    database.exec(
      'PRAGMA journal_mode = WAL; CREATE TEMP TABLE moved AS SELECT * FROM ValidPaths WHERE id % 2',
    );
    all = countRows(database);
    database.exec(`DELETE FROM ValidPaths WHERE id % 2;
      PRAGMA wal_checkpoint(TRUNCATE);
      PRAGMA wal_autocheckpoint = 0;
      INSERT INTO ValidPaths SELECT * FROM moved`);
    mkdirSync(copy);
    cpSync(db, copy, { recursive: true });
  }
  // A shared-memory file is this machine's; a real image may or may not have one.
  rmSync(join(copy, 'db.sqlite-shm'), { force: true });
  using alone = new DatabaseSync(`file:${join(copy, 'db.sqlite')}?immutable=1`, { readOnly: true });
  assert.ok(countRows(alone) < all, 'some rows are in the log alone');
  rmSync(db, { recursive: true });
  renameSync(copy, db);
}

const countRows = (database: DatabaseSync): number =>
  Number(database.prepare('SELECT count(*) AS n FROM ValidPaths').get()?.['n']);
