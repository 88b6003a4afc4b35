import { mkdirSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** Write-ahead logged, as Nix has it. Closing checkpoints the log and removes it; until then nothing else does. */
export function openDatabase(stateDir: string): DatabaseSync {
  const database = new DatabaseSync(`${stateDir}/db/db.sqlite`);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0');
  return database;
}

/** A database with one of Nix's tables. */
export function createDatabase(stateDir: string): DatabaseSync {
  mkdirSync(`${stateDir}/db`, { recursive: true });
  const database = openDatabase(stateDir);
  database.exec('CREATE TABLE ValidPaths (path TEXT)');
  return database;
}

export const addPath = (database: DatabaseSync, path: string): void => {
  database.prepare('INSERT INTO ValidPaths VALUES (?)').run(path);
};

export function readPaths(stateDir: string): unknown[] {
  using database = openDatabase(stateDir);
  return database
    .prepare('SELECT path FROM ValidPaths ORDER BY path')
    .all()
    .map((row) => row['path']);
}
