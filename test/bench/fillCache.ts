import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { BigImages } from '../harness/bigImage.ts';
import type { Machine } from '../harness/namespaceMachine.ts';
import { addRenamed } from './renamedRows.ts';

/** Puts all paths of an image into the cache of a machine whose volume is attached and in nobody's use. */
export async function fillCache(machine: Machine, { old: [top = ''] }: BigImages): Promise<void> {
  const file = machine.path('/nix-cache/var/nix/db/db.sqlite');
  // SQLite cannot follow a path through /proc.
  const copy = `${top}.cached.sqlite`;
  const list = `${top}.cached.names`;
  copyFileSync(file, copy);
  try {
    using database = new DatabaseSync(copy);
    writeFileSync(list, addRenamed(database, `${top}/var/nix/db/db.sqlite`, 'cached').join('\n'));
    // Through /proc each would take three times as long.
    await machine.shell(`cd nix-cache/upper; xargs mkdir <"${list}"`);
    database.exec('pragma wal_checkpoint(truncate)');
    database.close();
    copyFileSync(copy, file);
  } finally {
    for (const made of [list, copy, `${copy}-wal`, `${copy}-shm`]) rmSync(made, { force: true });
  }
}
