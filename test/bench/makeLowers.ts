import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { BigImages } from '../harness/bigImage.ts';
import { addRenamed } from './renamedRows.ts';

/** Makes so many further stores in a directory, each with its database and with as many packages as the image. @returns their names. */
export function makeLowers(directory: string, count: number, { old: [top = ''] }: BigImages): string[] {
  const image = join(top, 'var/nix/db/db.sqlite');
  const names = Array.from({ length: count }, (_, index) => `lower-${index + 1}`);
  for (const name of names) {
    const db = join(directory, name, 'var/nix/db');
    mkdirSync(db, { recursive: true });
    makeStore(join(directory, name, 'store'), packagesAlone(image, join(db, 'db.sqlite'), name));
  }
  return names;
}

/** A database with the packages of the image's under other names, and nothing else. */
function packagesAlone(image: string, file: string, name: string): string[] {
  copyFileSync(image, file);
  try {
    using database = new DatabaseSync(file);
    database.exec('delete from DerivationOutputs; delete from Refs; delete from ValidPaths');
    return addRenamed(database, image, name);
  } finally {
    for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true });
  }
}

function makeStore(store: string, names: readonly string[]): void {
  mkdirSync(store);
  for (const name of names) mkdirSync(join(store, name));
}
