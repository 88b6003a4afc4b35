import type { DatabaseSync } from '../database.ts';

/** What Nix's tables say of a path (src/libstore/schema.sql): its row, what it refers to, and a derivation's outputs. */
export type Row = {
  path: string;
  hash: string;
  registrationTime: number;
  deriver: string | null;
  narSize: number | null;
  ultimate: number | null;
  sigs: string | null;
  ca: string | null;
  references: string[];
  outputs: [id: string, path: string][];
};

/** Rows for one statement: some ten milliseconds' worth. */
export const ROWS_AT_ONCE = 20_000;

export const rowColumns = [
  ...(['path', 'hash', 'registrationTime', 'deriver', 'narSize', 'ultimate', 'sigs', 'ca'] as const),
] as const;

/** The columns of ValidPaths that a database has: those before schema 10 lack some. */
export function columnsOf(database: DatabaseSync, schema: 'main' | 'img'): string[] {
  const rows = database.prepare(`select name from pragma_table_info('ValidPaths', ?)`).all(schema);
  const names = new Set(rows.map(({ name }) => name));
  return rowColumns.filter((column) => names.has(column));
}

/** Reads rows with what hangs on them. @param where a condition on `v`, a row of ValidPaths. */
export function readRows(database: DatabaseSync, where: string): Row[] {
  const columns = new Set(columnsOf(database, 'main'));
  const selected = rowColumns.map((column) => (columns.has(column) ? `v.${column}` : `null as ${column}`));
  const references = `(select json_group_array(p.path) from Refs r join ValidPaths p on p.id = r.reference
    where r.referrer = v.id)`;
  const outputs = `(select json_group_array(json_array(d.id, d.path)) from DerivationOutputs d where d.drv = v.id)`;
  const statement = database.prepare(
    `select ${selected.join(', ')}, ${references} as refs, ${outputs} as outs from main.ValidPaths v where ${where}`,
  );
  const list = (json: unknown): unknown => JSON.parse(String(json));
  return statement
    .all()
    .map(({ refs, outs, ...row }) => ({ ...row, references: list(refs), outputs: list(outs) }) as Row);
}

/**
 * Puts rows into the database, in the place of those it has for their paths. Of their references those that it knows.
 * @returns those with a reference that it does not know.
 */
export function putRows(database: DatabaseSync, rows: readonly Row[]): Row[] {
  const columns = columnsOf(database, 'main') as (keyof Row)[];
  const updates = columns.slice(1).map((column) => `${column} = excluded.${column}`);
  const insert = database.prepare(
    `insert into main.ValidPaths (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})
     on conflict (path) do update set ${updates.join(', ')}`,
  );
  for (const row of rows) insert.run(...columns.map((column) => row[column] as string | number | null));
  const forget = database.prepare(
    'delete from main.Refs where referrer = (select id from main.ValidPaths where path = ?)',
  );
  const refer = database.prepare(
    `insert or ignore into main.Refs (referrer, reference)
     select a.id, b.id from main.ValidPaths a, main.ValidPaths b where a.path = ? and b.path = ?`,
  );
  putOutputs(database, rows);
  return rows.filter(({ path, references }) => {
    forget.run(path);
    return references.filter((reference) => refer.run(path, reference).changes === 0).length > 0;
  });
}

/** Without its outputs, Nix cannot do anything with a derivation that it calls valid. */
function putOutputs(database: DatabaseSync, rows: readonly Row[]): void {
  const put = database.prepare(
    `insert or replace into main.DerivationOutputs (drv, id, path)
     select id, ?, ? from main.ValidPaths where path = ?`,
  );
  for (const { path, outputs } of rows) for (const output of outputs) put.run(...output, path);
}
