import type { DatabaseSync } from '../database.ts';
import { hasTable } from './image-database.ts';
import { ROWS_AT_ONCE } from './merge.ts';

/**
 * Fills `dead` with the rows whose path neither layer has, and with all that refers to them (DESIGN §6.4): a path is only
 * valid with its closure.
 * Whether a path is there is asked of many at once: a function that SQL calls for each takes three times as long.
 */
export async function findVanished(
  database: DatabaseSync,
  onDisk: (path: string) => boolean,
  onRows: (rows: number) => Promise<void>,
): Promise<void> {
  const some = database.prepare(`select json_group_array(path) as paths, max(path) as last from
    (select path from main.ValidPaths where path > ? order by path limit ${ROWS_AT_ONCE})`);
  for (let next = some.get(''); next?.['last'] != null; next = some.get(next['last'])) {
    const paths: string[] = JSON.parse(String(next['paths']));
    markDead(
      database,
      paths.filter((path) => !onDisk(path)),
    );
    await onRows(paths.length);
  }
  markReferrers(database);
}

/** Fills `dead` with the rows that refer to a row which is not there. No SQLite with its foreign keys on leaves such. */
export function findDangling(database: DatabaseSync): void {
  database.exec(`insert or ignore into temp.dead ${danglingRows}`);
}

/** The IDs of rows that refer to one which is not there. */
export const danglingRows = `
  select r.referrer from main.Refs r join main.ValidPaths v on v.id = r.referrer
  where r.reference not in (select id from main.ValidPaths)`;

function markReferrers(database: DatabaseSync): void {
  database.exec(`
    insert or ignore into temp.dead
      with recursive closure (id) as (
        select id from temp.dead
        union select r.referrer from main.Refs r join closure on r.reference = closure.id)
      select id from closure`);
}

/** The paths whose rows are in `dead`. */
export function deadPaths(database: DatabaseSync): string[] {
  const query = 'select path from main.ValidPaths where id in (select id from temp.dead) order by path';
  return database
    .prepare(query)
    .all()
    .map(({ path }) => String(path));
}

/** Adds rows to `dead` by their paths. */
export function markDead(database: DatabaseSync, paths: readonly string[]): void {
  const mark = database.prepare(
    'insert or ignore into temp.dead select id from main.ValidPaths where path = ?',
  );
  for (const path of paths) mark.run(path);
}

/** Deletes the rows of `dead` with everything that hangs on them. */
export function forgetVanished(database: DatabaseSync): void {
  const dead = '(select id from temp.dead)';
  if (hasTable(database, 'main', 'Realisations')) {
    const gone = `(select id from main.Realisations where outputPath in ${dead})`;
    database.exec(`
      delete from main.RealisationsRefs where referrer in ${gone} or realisationReference in ${gone};
      delete from main.Realisations where outputPath in ${dead}`);
  }
  database.exec(`
    delete from main.DerivationOutputs where drv in ${dead};
    delete from main.Refs where referrer in ${dead};
    delete from main.Refs where reference in ${dead};
    delete from main.ValidPaths where id in ${dead}`);
}
