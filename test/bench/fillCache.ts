import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { BigImages } from '../harness/bigImage.ts';
import type { Machine } from '../harness/namespaceMachine.ts';

const columns = 'hash, registrationTime, deriver, narSize, ultimate, sigs, ca';
/** The same packages under names that no image has. */
const cached = (path: string): string => `replace(${path}, '-library-', '-cached-')`;
const libraries = "path like '%-library-%'";

/** Puts all paths of an image into the cache of a machine whose volume is attached and in nobody's use. */
export function fillCache(machine: Machine, { old: [top = ''] }: BigImages): void {
  const file = machine.path('/nix-cache/var/nix/db/db.sqlite');
  // SQLite cannot follow a path through /proc.
  const copy = `${top}.cached.sqlite`;
  copyFileSync(file, copy);
  try {
    using database = new DatabaseSync(copy);
    database.prepare('attach ? as image').run(`${top}/var/nix/db/db.sqlite`);
    database.exec(`
      pragma synchronous = off;
      pragma cache_size = -200000;
      begin;
      insert into main.ValidPaths (path, ${columns})
        select ${cached('path')}, ${columns} from image.ValidPaths where ${libraries};
      insert into main.Refs
        select a.id, b.id from image.Refs
        cross join image.ValidPaths x on x.id = referrer cross join image.ValidPaths y on y.id = reference
        cross join main.ValidPaths a on a.path = ${cached('x.path')}
        cross join main.ValidPaths b on b.path = ${cached('y.path')}
        where x.${libraries} and y.${libraries};
      commit;
    `);
    const rows = database.prepare("select path from main.ValidPaths where path like '%-cached-%'").all();
    for (const { path } of rows) mkdirSync(machine.path(`/nix-cache/upper/${basename(String(path))}`));
    database.exec('pragma wal_checkpoint(truncate)');
    database.close();
    copyFileSync(copy, file);
  } finally {
    for (const suffix of ['', '-wal', '-shm']) rmSync(copy + suffix, { force: true });
  }
}
