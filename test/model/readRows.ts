import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { readDatabase } from '../harness/nixDatabase.ts';
import type { Row } from './rows.ts';

/** What a Nix database says, by path; empty where there is none. */
export const readRows = (stateDirectory: string): Map<string, Row> =>
  existsSync(join(stateDirectory, 'db/db.sqlite')) ? readDatabase(stateDirectory, rowsOf) : new Map();

function rowsOf(database: DatabaseSync): Map<string, Row> {
  const references = grouped(
    database,
    `select a.path as key, b.path as value from Refs
     join ValidPaths a on a.id = referrer join ValidPaths b on b.id = reference
     where referrer != reference order by b.path`,
  );
  const outputs = grouped(
    database,
    `select v.path as key, d.id || ' ' || d.path as value from DerivationOutputs d
     join ValidPaths v on v.id = d.drv order by d.id`,
  );
  const rows = new Map<string, Row>();
  for (const { id: _, path, registrationTime, ...columns } of database
    .prepare('select * from ValidPaths order by path')
    .all()) {
    const key = String(path);
    const { deriver = null } = columns;
    rows.set(key, {
      references: references.get(key) ?? [],
      deriver: deriver === null ? null : String(deriver),
      registered: Number(registrationTime),
      record: JSON.stringify({ ...columns, outputs: outputs.get(key) ?? [] }),
    });
  }
  return rows;
}

function grouped(database: DatabaseSync, query: string): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { key, value } of database.prepare(query).all() as Record<'key' | 'value', SQLOutputValue>[]) {
    const group = groups.get(String(key)) ?? [];
    group.push(String(value));
    groups.set(String(key), group);
  }
  return groups;
}
