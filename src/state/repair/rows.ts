import { lstatSync } from 'node:fs';
import { liveLayers } from '../check/names.ts';
import type { Places } from '../check/places.ts';
import { type DatabaseSync, withDatabase } from '../database.ts';
import { attachImage } from '../reconcile/image-database.ts';
import { takeChanged } from '../reconcile/merge.ts';
import { mergeRealisations } from '../reconcile/realisations.ts';
import { putRows, type Row, readRows } from '../reconcile/rows.ts';
import { createWorkTables, defineFunctions } from '../reconcile/update.ts';
import {
  danglingRows,
  deadPaths,
  findDangling,
  findVanished,
  forgetVanished,
  markDead,
  markReferrers,
} from '../reconcile/vanished.ts';
import { wholeRows } from './whole.ts';

export type RowsRequest = {
  places: Places;
  /** Paths that are not valid although they are there. */
  doomed: readonly string[];
  /** Called with the rows that are about to go, before they do: to be remembered. */
  onTakenOut: (rows: readonly Row[]) => void;
  /** For a copy of the image's database. */
  scratch: string;
};

export type RowsRepaired = { registered: string[]; invalidated: string[] };

/**
 * Makes the database say what is true, in one transaction: the image's paths that it lacks are registered, and what is not
 * there, not whole or doomed is no longer valid, with all that refers to it. What it says of other paths is left as it is.
 * All is looked at anew, in the transaction: Nix may have been at work since the check.
 */
export async function repairRows({
  places,
  doomed,
  onTakenOut,
  scratch,
}: RowsRequest): Promise<RowsRepaired> {
  const { storeDir, volume } = places;
  return await withRows(places, async (database) => {
    const hasImage = volume !== undefined && attachImage(database, volume.image.stateDir, scratch);
    const layers = liveLayers(places);
    defineFunctions(database, { storeDir, layers });
    database.function('is_hidden', (path) => (isHidden(places, String(path)) ? 1 : 0));
    database.exec('begin immediate');
    createWorkTables(database);
    const registered = hasImage ? register(database) : [];
    markDead(database, doomed);
    findDangling(database);
    await findVanished(database, { storeDir, layers }, async () => {});
    markReferrers(database);
    const invalidated = deadPaths(database);
    const dead = new Set(invalidated);
    onTakenOut(readRows(database, 'v.id in (select id from temp.dead)'));
    forgetVanished(database);
    if (registered.length > 0) mergeRealisations(database);
    database.exec('commit');
    return { registered: registered.filter((path) => !dead.has(path)), invalidated };
  });
}

/**
 * Puts back those rows of paths with which all that they refer to is valid again.
 * @returns their paths, and all that are valid then.
 */
export async function restoreRows(
  places: Places,
  rows: readonly Row[],
): Promise<{ restored: Set<string>; valid: Set<string> }> {
  return await withRows(places, async (database) => {
    database.exec('begin immediate');
    const all = database.prepare('select path from ValidPaths').all();
    const known = new Set(all.map(({ path }) => String(path)));
    const gone = rows.filter(({ path }) => !known.has(path));
    const whole = wholeRows(gone, known);
    putRows(database, whole);
    database.exec('commit');
    const restored = new Set(whole.map(({ path }) => path));
    return { restored, valid: new Set([...known, ...restored]) };
  });
}

function withRows<T>({ kind, stateDir }: Places, act: (database: DatabaseSync) => Promise<T>): Promise<T> {
  const damaged = {
    stage: 'check',
    what: `the Nix database in ${stateDir} is damaged`,
    remedy: 'run the repair again',
  } as const;
  return withDatabase(stateDir, damaged, act, kind === 'volume' ? 'alone' : 'with Nix');
}

/** Takes the image's rows for its paths that have none, or one that refers to nothing. */
function register(database: DatabaseSync): string[] {
  database.exec(`
    insert into temp.changed
      select i.id, i.path from img.ValidPaths i left join main.ValidPaths v on v.path = i.path
      where (v.id is null or v.id in (${danglingRows})) and in_lower(i.path) and not is_hidden(i.path)`);
  const missing = `select path from temp.changed where path not in (select path from main.ValidPaths)`;
  const paths = database
    .prepare(missing)
    .all()
    .map(({ path }) => String(path));
  takeChanged(database);
  return paths;
}

/** Whether there is a whiteout in the place of a path. */
function isHidden({ storeDir, volume }: Places, path: string): boolean {
  if (volume === undefined) return false;
  const stat = lstatSync(volume.upper + path.slice(storeDir.length), { throwIfNoEntry: false });
  return stat?.isCharacterDevice() ?? false;
}
