import { copyFileSync, existsSync } from 'node:fs';
import { makeDirectories } from '../../linux/directories.ts';
import { removeTree } from '../../linux/remove.ts';
import { type DatabaseSync, damage, databaseFile, immutable, isDamage, withDatabase } from '../database.ts';
import type { ImagePlaces } from '../identity.ts';
import { hasTable, unwrittenLogs } from '../reconcile/image-database.ts';
import { type Breathe, takeChanged } from '../reconcile/merge.ts';
import { mergeRealisations } from '../reconcile/realisations.ts';
import { createWorkTables } from '../reconcile/update.ts';
import { forgetVanished, markReferrers } from '../reconcile/vanished.ts';
import { settleDatabase } from '../snapshot/database.ts';

export type CombineRequest = {
  image: ImagePlaces;
  /** In the order of the layers. */
  lowers: readonly ImagePlaces[];
  /** What is in the stores of these. */
  names: readonly (readonly string[])[];
  /** Where Nix sees the store. */
  storeDir: string;
  /** A state directory for the outcome, made anew. */
  to: string;
  breathe: Breathe;
};

/**
 * Makes one database of the image's and those of further lowers, as if all had been one image: the image's row counts, then that
 * of the first lower that has the path and its row. A path of which no layer has all that it needs stays out.
 * @throws {InitError} 78 for a database that is damaged.
 */
export async function combineDatabases({ image, to, ...request }: CombineRequest): Promise<void> {
  removeTree(to);
  const lowers = request.lowers.flatMap((lower, index) =>
    existsSync(databaseFile(lower.stateDir)) ? [{ ...lower, names: new Set(request.names[index]) }] : [],
  );
  makeDirectories(`${to}/db`, 0o755);
  const hasOwn = await copyDatabase(image.stateDir, to, request.breathe);
  if (!hasOwn && lowers.length === 0) return;
  const damaged = {
    stage: 'reconcile',
    what: 'the Nix database of the image is damaged',
    remedy: 'make the image anew',
  } as const;
  await withDatabase(to, damaged, async (database) => {
    // Nobody misses it when the machine stops.
    database.exec('pragma synchronous = off');
    const attached: Attached[] = [];
    for (const [index, lower] of lowers.entries()) {
      const scratch = `${to}/lower-${index}`;
      attached.push({ ...lower, file: await readableName(lower.stateDir, scratch, request.breathe) });
    }
    combine(database, attached, request.storeDir);
    await request.breathe(0, 0);
  });
  for (const index of lowers.keys()) removeTree(`${to}/lower-${index}`);
}

type Attached = ImagePlaces & {
  names: ReadonlySet<string>;
  /** By which name SQLite can read its database. */
  file: string;
};

/** Others may be at work in a store that is not ours. */
async function copyDatabase(from: string, to: string, breathe: Breathe): Promise<boolean> {
  const file = databaseFile(from);
  if (!existsSync(file)) return false;
  copyFileSync(file, databaseFile(to));
  await settleDatabase(from, to, () => breathe(0, 0));
  return true;
}

async function readableName(stateDir: string, scratch: string, breathe: Breathe): Promise<string> {
  const file = databaseFile(stateDir);
  if (unwrittenLogs(file).length === 0) return immutable(file);
  makeDirectories(`${scratch}/db`);
  await copyDatabase(stateDir, scratch, breathe);
  return databaseFile(scratch);
}

/**
 * In two rounds: all rows first, and then what they refer to, which may be in any layer. A transaction for each lower: what is
 * attached cannot be let go in the middle of one.
 */
function combine(database: DatabaseSync, lowers: readonly Attached[], storeDir: string): void {
  createWorkTables(database);
  database.exec('create temp table taken (lower integer not null, id integer not null, path text not null)');
  let names: ReadonlySet<string> = new Set();
  database.function('is_here', (path) => (names.has(String(path).slice(storeDir.length + 1)) ? 1 : 0));
  const rounds = [takeRows(database, storeDir), takeReferences(database)];
  for (const round of rounds) {
    for (const [index, lower] of lowers.entries()) {
      names = lower.names;
      withAttached(database, lower, () => round(index));
    }
  }
  database.exec('begin');
  markReferrers(database);
  forgetVanished(database);
  database.exec('commit');
}

function withAttached(database: DatabaseSync, { file, stateDir }: Attached, act: () => void): void {
  try {
    database.prepare('attach ? as img').run(file);
    if (hasTable(database, 'img', 'ValidPaths')) {
      makeTables(database);
      database.exec('begin');
      act();
      database.exec('commit; drop table temp.own; drop table temp.wanted; delete from temp.changed');
    }
    database.exec('detach img');
  } catch (error) {
    if (!isDamage(error)) throw error;
    const what = `the Nix database of a lower, ${databaseFile(stateDir)}, is damaged`;
    throw damage({ stage: 'reconcile', what, remedy: 'make it anew, or take it out of lowers' }, error);
  }
}

/** An image without Nix's database gets the tables of the first lower. */
function makeTables(database: DatabaseSync): void {
  if (hasTable(database, 'main', 'ValidPaths')) return;
  const query = `select sql from img.sqlite_master where sql is not null and name not like 'sqlite_%'
    order by type <> 'table'`;
  for (const { sql } of database.prepare(query).all()) database.exec(String(sql));
}

/** Rows of paths that the lower has, and no layer above it. */
const takeRows = (database: DatabaseSync, storeDir: string) => (lower: number) => {
  const find = database.prepare(`
    insert into temp.changed select i.id, i.path from img.ValidPaths i
      where i.path > ? and i.path < ? and is_here(i.path)
      and not exists (select 1 from main.ValidPaths v where v.path = i.path)`);
  find.run(`${storeDir}/`, `${storeDir}0`);
  database.exec(`insert into temp.taken select ${lower}, id, path from temp.changed`);
  takeChanged(database);
  // What it refers to may yet come.
  database.exec('delete from temp.dead');
};

const takeReferences = (database: DatabaseSync) => (lower: number) => {
  database.exec(`insert into temp.changed select id, path from temp.taken where lower = ${lower}`);
  takeChanged(database);
  mergeRealisations(database);
};
