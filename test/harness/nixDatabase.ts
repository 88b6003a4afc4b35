import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Reads the Nix database of a state directory as SQLite finds it, its log included; in a copy. */
export function readDatabase<T>(stateDirectory: string, read: (database: DatabaseSync) => T): T {
  const work = mkdtempSync(join(tmpdir(), 'nix-cache-init-db-'));
  try {
    for (const name of ['db.sqlite', 'db.sqlite-wal']) {
      const path = join(stateDirectory, 'db', name);
      if (existsSync(path)) copyFileSync(path, join(work, name));
    }
    using database = new DatabaseSync(join(work, 'db.sqlite'));
    return read(database);
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** The valid paths with all that their rows say, and what each refers to. */
export type ValidPaths = Map<string, { record: string; references: string[] }>;

const query = `
  select path, json_array(hash, registrationTime, deriver, narSize, ultimate, sigs, ca,
    (select json_group_array(id || ' ' || path) from (select * from DerivationOutputs where drv = v.id order by id))
  ) as record,
  (select json_group_array(path) from
    (select p.path from Refs r join ValidPaths p on p.id = r.reference where r.referrer = v.id order by p.path)) as refs
  from ValidPaths v order by path`;

export function readValidPaths(stateDirectory: string): ValidPaths {
  const rows = readDatabase(stateDirectory, (database) => database.prepare(query).all());
  return new Map(
    rows.map(({ path, record, refs }) => [
      String(path),
      { record: String(record), references: JSON.parse(String(refs)) as string[] },
    ]),
  );
}
