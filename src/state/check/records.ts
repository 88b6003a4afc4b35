import { existsSync, readdirSync, statSync } from 'node:fs';
import { isSettled } from '../../linux/looks.ts';
import {
  DamagedDatabase,
  type DatabaseSync,
  databaseFile,
  immutable,
  keepPages,
  openForReading,
  requireTables,
} from '../database.ts';
import { hasTable, stillName } from '../reconcile/image-database.ts';
import { danglingRows, referrersOfGone } from '../reconcile/vanished.ts';
import type { Places } from './places.ts';

/** What a row says of the contents of its path. */
export type RowSays = { hash: string; narSize: number };

export type Records = {
  /** By the names of paths in this store. */
  rows: Map<string, RowSays>;
  dangling: Set<string>;
};

/**
 * Reads the database that is checked, at one moment of it.
 * @throws what `isDamage` knows, for one that cannot be read or whose parts contradict each other.
 */
export function readRecords({ kind, stateDir, storeDir }: Places, scratch: string): Records {
  const file = databaseFile(stateDir);
  if (!existsSync(file)) throw new DamagedDatabase('there is none');
  return readDatabase(file, kind === 'volume', scratch, (database) => {
    database.exec('begin');
    requireTables(database);
    const [problem] = database.prepare('pragma integrity_check(1)').all();
    const said = String(problem?.['integrity_check']);
    if (said !== 'ok') throw new DamagedDatabase(said);
    const rows = new Map<string, RowSays>();
    const all = database.prepare('select path, hash, narSize from ValidPaths');
    for (const { path, hash, narSize } of all.iterate()) {
      const name = nameIn(storeDir, path);
      if (name !== undefined) rows.set(name, { hash: String(hash), narSize: Number(narSize ?? 0) });
    }
    const dangling = database.prepare(`select path from ValidPaths where id in (${danglingRows})`).all();
    return { rows, dangling: new Set(dangling.flatMap(({ path }) => nameIn(storeDir, path) ?? [])) };
  });
}

const nameIn = (storeDir: string, path: unknown): string | undefined => {
  const text = String(path);
  return text.startsWith(`${storeDir}/`) ? text.slice(storeDir.length + 1) : undefined;
};

/** How a database looks while nobody writes to it; undefined while somebody might. Nix leaves an empty log. */
function stillLooks(file: string): string | undefined {
  const log = statSync(`${file}-wal`, { throwIfNoEntry: false });
  const { ino, size, mtimeNs } = statSync(file, { bigint: true });
  if ((log?.size ?? 0) > 0 || !isSettled(mtimeNs)) return undefined;
  return `${ino}-${size}-${mtimeNs}-${log?.mtimeMs}`;
}

/**
 * Reads a database without leaving a trace: a reader that takes part in the locking makes the log and its index, which whoever
 * only reads cannot remove again. While the log is empty, the file can be read as it is; if it changes meanwhile, once more.
 */
export function readDatabase<T>(
  file: string,
  alone: boolean,
  scratch: string,
  read: (database: DatabaseSync) => T,
): T {
  if (alone) return withReading(stillName(file, scratch), read);
  const before = stillLooks(file);
  if (before !== undefined) {
    try {
      const result = withReading(immutable(file), read);
      if (stillLooks(file) === before) return result;
    } catch (error) {
      // Changed while it was read, so no wonder.
      if (stillLooks(file) === before) throw error;
    }
  }
  return withReading(file, read);
}

function withReading<T>(name: string, read: (database: DatabaseSync) => T): T {
  const database = openForReading(name);
  try {
    keepPages(database, 'many');
    return read(database);
  } finally {
    database.close();
  }
}

export type ImageRecords = { image: Set<string>; whole: Set<string> };

/**
 * What the image's database says that the image has.
 * @returns nothing for an image without a database.
 */
export function readImage({ storeDir, volume }: Places, scratch: string): ImageRecords {
  const file = volume && databaseFile(volume.image.stateDir);
  if (volume === undefined || file === undefined || !existsSync(file))
    return { image: new Set(), whole: new Set() };
  const lower = new Set(readdirSync(volume.image.storeDir));
  return withReading(stillName(file, scratch), (database) => {
    if (!hasTable(database, 'main', 'ValidPaths')) return { image: new Set(), whole: new Set() };
    database.function('in_lower', (path) => (lower.has(nameIn(storeDir, path) ?? '') ? 1 : 0));
    const names = (where: string): Set<string> => {
      const paths = database.prepare(`select path from ValidPaths where ${where}`).all();
      return new Set(paths.flatMap(({ path }) => nameIn(storeDir, path) ?? []));
    };
    const image = names('1');
    return { image, whole: image.difference(names(`id in (${unwhole})`)) };
  });
}

/** Rows of paths that the image lacks, and of those that refer to such. */
const unwhole = `
  with recursive closure (id) as (
    select id from ValidPaths where not in_lower(path)
    union ${referrersOfGone}
    union select r.referrer from Refs r join closure on r.reference = closure.id)
  select id from closure`;
