import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Changes the database of a state directory in a machine: SQLite would lose its way in a path through /proc. */
export function changeDatabase(stateDir: string, change: (database: DatabaseSync) => void): void {
  const work = mkdtempSync(join(tmpdir(), 'nix-cache-init-db-'));
  const names = ['db.sqlite', 'db.sqlite-wal'];
  const there = (name: string): string => join(stateDir, 'db', name);
  try {
    for (const name of names) if (existsSync(there(name))) copyFileSync(there(name), join(work, name));
    {
      using database = new DatabaseSync(join(work, 'db.sqlite'));
      change(database);
      // Closing writes the log back.
    }
    for (const name of names) rmSync(there(name), { force: true });
    copyFileSync(join(work, 'db.sqlite'), there('db.sqlite'));
  } finally {
    rmSync(work, { recursive: true });
  }
}
