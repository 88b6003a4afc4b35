import { dirname } from 'node:path';
import { flushed, flushLater } from '../linux/flush.ts';
import type { DatabaseSync } from './database.ts';

/** A transaction that has begun. */
export type Transaction = {
  /**
   * Commits, and has all of it in the database's own file and on the disk when it is settled.
   * @param beside called when the transaction can no longer fail for want of room, to do what a power cut may undo, while the
   * disk is waited for; what it returns, when that is waited for once more.
   */
  commit(beside: () => () => void): Promise<void>;
};

/**
 * Begins a transaction after which the disk is waited for on another thread. By itself SQLite waits twice, for the log and then
 * for the database, and nothing else can be done. What it does in between is left to it, and the order is its own (sqlite.org,
 * src/wal.c): the log is on the disk before anything is written back of it, and that before closing deletes the log.
 * @param fd the database's file, open until the database is closed.
 */
export function beginTransaction(database: DatabaseSync, file: string, fd: number): Transaction {
  // The older journal must be on the disk before the commit.
  const logs = database.prepare('pragma main.journal_mode').get()?.['journal_mode'] === 'wal';
  if (logs) database.exec('pragma main.wal_autocheckpoint = 0; pragma main.synchronous = off');
  database.exec('begin immediate');
  return {
    async commit(beside) {
      // Before anything can fail: closing, too, writes back what is left in the log.
      database.exec('commit; pragma main.synchronous = full');
      if (!logs) return beside()();
      const flushes = Promise.all([`${file}-wal`, dirname(file)].map(flushLater));
      const rest = await during(flushes, beside);
      writeBack(database);
      await during(flushed(fd), rest);
    },
  };
}

/** Does something while the disk is waited for. */
async function during<T>(flushes: Promise<unknown>, act: () => T): Promise<T> {
  try {
    return act();
  } finally {
    await flushes;
  }
}

/** Into the database goes what has room there; the rest stays in the log, as when SQLite does this after a commit. */
function writeBack(database: DatabaseSync): void {
  database.exec('pragma main.synchronous = off');
  try {
    database.exec('pragma main.wal_checkpoint');
  } catch {
    // Closing tries once more, flushes what it writes, and keeps the log where it cannot.
  } finally {
    database.exec('pragma main.synchronous = full');
  }
}
