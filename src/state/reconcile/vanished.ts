import type { DatabaseSync } from '../database.ts';
import { hasTable } from './image-database.ts';
import { isThere, type Layer } from './layers.ts';
import { ROWS_AT_ONCE } from './rows.ts';

/** A store, where it is and what is in it. */
export type Store = {
  storeDir: string;
  layers: Record<'lower' | 'upper', Layer> & { below?: Layer };
};

/**
 * Adds to `dead` the rows whose path no layer has (DESIGN §6.4). One that is not in this store is somebody else's affair.
 * Whether a path is there is asked of many at once: a function that SQL calls for each takes three times as long.
 * @returns these paths.
 */
export async function findVanished(
  database: DatabaseSync,
  { storeDir, layers }: Store,
  onRows: (rows: number) => Promise<void>,
): Promise<string[]> {
  const vanished: string[] = [];
  const start = `${storeDir}/`;
  const some = database.prepare(`select json_group_array(path) as paths from
    (select path from main.ValidPaths where path > ? and path < ? order by path limit ${ROWS_AT_ONCE})`);
  const after = (last: string): string[] => JSON.parse(String(some.get(last, `${storeDir}0`)?.['paths']));
  const isNext = inStep(layers.lower.values?.() ?? []);
  for (let paths = after(start); paths.length > 0; paths = after(paths.at(-1) ?? '')) {
    const gone = paths.filter((path) => {
      const name = path.slice(start.length);
      return !isNext(name) && !isThere(name, layers);
    });
    markDead(database, gone);
    vanished.push(...gone);
    await onRows(paths.length);
  }
  return vanished;
}

/**
 * Goes through names beside others that come in order, as those of a directory mostly do: to find one where it is expected takes
 * a third of the time of looking it up.
 * @returns whether a name is the one that was expected. What is not may yet be among the names.
 */
function inStep(names: Iterable<string>): (name: string) => boolean {
  const rest = names[Symbol.iterator]();
  let expected = rest.next().value;
  return (name) => {
    while (expected !== name) {
      if (expected === undefined || expected > name) return false;
      expected = rest.next().value;
    }
    expected = rest.next().value;
    return true;
  };
}

/** Fills `dead` with the rows that refer to a row which is not there. No SQLite with its foreign keys on leaves such. */
export function findDangling(database: DatabaseSync): void {
  database.exec(`insert or ignore into temp.dead ${danglingRows}`);
}

/** IDs that are referred to and not there. Each is looked up once: references are five times as many as rows. */
const goneIds = `
  select distinct reference from main.Refs where reference not in (select id from main.ValidPaths)`;

/** The IDs of what refers to such, which may itself not be there. */
export const referrersOfGone = `select referrer from main.Refs where reference in (${goneIds})`;

/** The IDs of rows that refer to one which is not there. */
export const danglingRows = `${referrersOfGone} and referrer in (select id from main.ValidPaths)`;

/**
 * Adds to `dead` all that refers to what is in it: a path is only valid with its closure.
 * @param spared SQL for the IDs of rows that stay out of it, with what refers to it only by them.
 */
export function markReferrers(database: DatabaseSync, spared?: string): void {
  const unless = spared === undefined ? '' : `where r.referrer not in (${spared})`;
  database.exec(`
    insert or ignore into temp.dead
      with recursive closure (id) as (
        select id from temp.dead
        union select r.referrer from main.Refs r join closure on r.reference = closure.id ${unless})
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
  forgetRealisations(database, dead);
  database.exec(`
    delete from main.DerivationOutputs where drv in ${dead};
    delete from main.Refs where referrer in ${dead};
    delete from main.Refs where reference in ${dead};
    delete from main.ValidPaths where id in ${dead}`);
}

/** Deletes which derivations had some rows as their outputs. @param outputs SQL for the IDs of these, in parentheses. */
export function forgetRealisations(database: DatabaseSync, outputs: string): void {
  if (!hasTable(database, 'main', 'Realisations')) return;
  const gone = `(select id from main.Realisations where outputPath in ${outputs})`;
  database.exec(`
    delete from main.RealisationsRefs where referrer in ${gone} or realisationReference in ${gone};
    delete from main.Realisations where outputPath in ${outputs}`);
}
