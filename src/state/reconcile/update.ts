import { openAhead } from '../../linux/read-ahead.ts';
import { type DatabaseSync, damage, databaseFile, isDamage, withDatabase } from '../database.ts';
import { beginTransaction } from '../transaction.ts';
import { attachImage, hasTable } from './image-database.ts';
import { isThere, type Layer, type Layers, overBelow, overlaps } from './layers.ts';
import { type Breathe, findChanged, type ImageMerged, lastId, mergeImage } from './merge.ts';
import { mergeRealisations } from './realisations.ts';
import { topLevelPaths } from './roots.ts';
import { putRows, type Row, readRows } from './rows.ts';
import { deadPaths, findVanished, forgetVanished, markDead, markReferrers, type Store } from './vanished.ts';

/** They may come late: they are not needed to compare the databases. */
export type LayersToCome = () => Layers | Promise<Layers>;

export type UpdateRequest = {
  /** The state directory whose database is updated. */
  stateDir: string;
  /** The image's, or what was made of its and further lowers'. */
  imageStateDir: string;
  storeDir: string;
  layers: LayersToCome;
  /** A directory for a copy of the image's database; the caller removes it. */
  imageCopy: string;
  /** Rows that an earlier update took out, to be put back where they are whole again. */
  recalled: readonly Row[];
  /** Called with the rows that this one takes out, before it is done: to be remembered. */
  onTakenOut: (rows: readonly Row[], away: readonly Row[]) => void;
  /**
   * Called when it is done, and the disk has yet to follow, for what is done again at the next boot where it does not; and so is
   * what it returns.
   */
  onCommitted: (updated: Updated) => () => void;
  /** Whether rows of paths that no layer has any more may be wanted again: those of a store that is away. */
  keepAway?: boolean;
  breathe: Breathe;
};

export type Updated = {
  /** Image paths that the database did not know, or knew otherwise. */
  learnt: number;
  /** Paths that are no longer valid. */
  forgotten: string[];
  /** Names in both layers that the image's database has. */
  superseded: string[];
  /** Names in the upper layer and another that only the volume's database has. */
  hiding: string[];
  /** Names of image paths that no other image path refers to. */
  roots: string[];
};

/** What to do about a damaged database: no container boots with it in which to mend it. */
export const repairRemedy =
  'run: docker run --rm -v VOLUME:/nix-cache --entrypoint nix-cache-init IMAGE check --repair';

const imageDamaged = {
  stage: 'reconcile',
  what: 'the Nix database of the image is damaged',
  remedy: 'make the image anew',
} as const;

/**
 * Brings a Nix database in step with the layers of its store, in one transaction: a kill at any instant leaves the old one or
 * the new one (DESIGN §6).
 * @throws {InitError} 78 for a damaged database; {DatabaseError} for what the disk refuses.
 */
export async function updateDatabase(request: UpdateRequest): Promise<Updated> {
  // At a boot the volume has only been mounted, and nothing of it is in memory.
  // Closed last: closing any descriptor of a file lets go of all that SQLite has locked of it (fcntl(2)).
  await using own = openAhead(databaseFile(request.stateDir));
  return await updateOpen(request, own.fd);
}

async function updateOpen(request: UpdateRequest, fd: number): Promise<Updated> {
  const { stateDir, imageStateDir, imageCopy } = request;
  const damaged = {
    stage: 'reconcile',
    what: `the Nix database in ${stateDir} is damaged`,
    remedy: repairRemedy,
  } as const;
  return await withDatabase(stateDir, damaged, async (database) => {
    try {
      const hasImage = attachImage(database, imageStateDir, imageCopy);
      const transaction = beginTransaction(database, databaseFile(stateDir), fd);
      const updated = await update(database, request, hasImage);
      await transaction.commit(() => request.onCommitted(updated));
      return updated;
    } catch (error) {
      if (!isDamage(error) || !isSound(database)) throw error;
      // Then it is the other one.
      throw damage(imageDamaged, error);
    }
  });
}

function isSound(database: DatabaseSync): boolean {
  const [{ quick_check: found } = {}] = database.prepare('pragma main.quick_check(1)').all();
  return found === 'ok' && hasTable(database, 'main', 'ValidPaths');
}

/** What SQL asks of the layers. A path that is not in this store is somebody else's affair, and always there. */
export function defineFunctions(database: DatabaseSync, { storeDir, layers }: Store): void {
  const start = storeDir.length + 1;
  const define = (name: string, layer: Layer): void =>
    database.function(name, (value) => {
      const path = String(value);
      return !path.startsWith(`${storeDir}/`) || layer.has(path.slice(start)) ? 1 : 0;
    });
  define('in_lower', layers.lower);
  define('in_upper', layers.upper);
}

/** What the steps of an update hand to each other. */
export function createWorkTables(database: DatabaseSync): void {
  database.exec(`
    create temp table changed (id integer primary key, path text not null);
    create temp table broken (id integer primary key);
    create temp table dead (id integer primary key);
    create temp table heirs (id integer primary key, image integer not null)`);
}

async function update(
  database: DatabaseSync,
  { storeDir, recalled, onTakenOut, keepAway = false, breathe, ...request }: UpdateRequest,
  hasImage: boolean,
): Promise<Updated> {
  createWorkTables(database);
  const total = lastId(database, 'main.ValidPaths') + (hasImage ? lastId(database, 'img.ValidPaths') : 0);
  let done = 0;
  const onRows = async (rows: number): Promise<void> => {
    done += rows;
    await breathe(done, total);
  };

  if (hasImage) await findChanged(database, onRows);
  const topLevel = hasImage ? topLevelPaths(database) : [];
  const layers = await request.layers();
  defineFunctions(database, { storeDir, layers });
  const pathOf = (name: string): string => `${storeDir}/${name}`;
  const both = overlaps(layers);
  const kept = new Set(
    both.filter((name) => layers.lent?.has(name) && knows(database, 'main', pathOf(name))),
  );
  forgetChanges(database, [...kept].map(pathOf));
  const vanished = await findVanished(database, { storeDir, layers }, onRows);
  // Who is to be remembered must be found among the dead.
  const free = keepAway || recalled.length > 0 ? [] : vanished;
  const { learnt, replaced, inherited } = hasImage ? mergeImage(database, free) : nothingMerged;
  const covered = both.filter((name) => hasImage && !kept.has(name) && knows(database, 'img', pathOf(name)));
  const superseded = new Set(covered);
  const nameOf = (path: string): string => path.slice(storeDir.length + 1);
  const inUpper = ({ path }: Row): boolean => layers.upper.has(nameOf(path));
  // Of a path that is not the volume's own, the database may have learnt better since.
  const back = recalled.filter(
    (row) => !superseded.has(nameOf(row.path)) && (inUpper(row) || !knows(database, 'main', row.path)),
  );
  const partial = putRows(database, back);
  const away = back.filter((row) => !isThere(nameOf(row.path), layers));
  markDead(
    database,
    [...partial, ...away].map(({ path }) => path),
  );
  markReferrers(database);
  const forgotten = [...inherited, ...deadPaths(database)];
  onTakenOut([...replaced, ...waitingRows(database, back)], awayRows(database, keepAway, back));
  const whole = !hasImage || !markBroken(database);
  forgetVanished(database);
  if (hasImage) mergeRealisations(database);
  return {
    learnt,
    forgotten,
    superseded: [...superseded],
    hiding: [...both, ...overBelow(layers)].filter(
      (name) => !superseded.has(name) && knows(database, 'main', pathOf(name)),
    ),
    roots: (whole ? topLevel : topLevelPaths(database)).map((path) => path.slice(storeDir.length + 1)),
  };
}

const nothingMerged: ImageMerged = { learnt: 0, replaced: [], inherited: [] };

/** What the volume has of its own stays as its row says, whatever a lower's would. */
function forgetChanges(database: DatabaseSync, paths: readonly string[]): void {
  const forget = database.prepare('delete from temp.changed where path = ?');
  for (const path of paths) forget.run(path);
}

const knows = (database: DatabaseSync, schema: 'main' | 'img', path: string): boolean =>
  database.prepare(`select 1 from ${schema}.ValidPaths where path = ?`).get(path) !== undefined;

/**
 * The image's own paths that are not whole: what refers to them does not root what else it refers to.
 * @returns whether there are any.
 */
function markBroken(database: DatabaseSync): boolean {
  database.exec(`
    insert or ignore into temp.broken select i.id from temp.dead d
      cross join main.ValidPaths v on v.id = d.id cross join img.ValidPaths i on i.path = v.path`);
  return database.prepare('select 1 from temp.broken').get() !== undefined;
}

/** Rows of the volume's own paths that are about to go. Of what was recalled the record alone knows all references. */
function waitingRows(database: DatabaseSync, recalled: readonly Row[]): Row[] {
  const records = new Map(recalled.map((row) => [row.path, row]));
  const rows = readRows(database, 'v.id in (select id from temp.dead) and in_upper(v.path)');
  return rows.map((row) => records.get(row.path) ?? row);
}

/** Rows that are about to go of paths that no layer has; of those that did not come back, all or none. */
function awayRows(database: DatabaseSync, all: boolean, recalled: readonly Row[]): Row[] {
  const known = new Set(recalled.map(({ path }) => path));
  if (!all && known.size === 0) return [];
  const rows = readRows(database, 'v.id in (select id from temp.dead) and not in_upper(v.path)');
  return rows.filter(({ path }) => all || known.has(path));
}
