import { basename } from 'node:path';
import type { DatabaseSync } from '../database.ts';
import { forgetRealisations, markReferrers } from './vanished.ts';

/**
 * Gives rows of paths that are gone to new paths of the image. When a package and all that needs it were made anew under the same
 * names, what refers to what then stays as it is in the database: otherwise rows of Refs go and come all over its table and three
 * indexes, and at an upgrade most pages of the database are written. Who gets which row matters only for what that spares.
 * @param gone paths of rows in `dead` that no layer has, of which nothing is to be remembered.
 * @param columns those of ValidPaths that both databases have.
 * @returns the paths whose rows are now others', and no longer in `dead`.
 */
export function inheritRows(
  database: DatabaseSync,
  gone: readonly string[],
  columns: readonly string[],
): string[] {
  // A column that is not the image's would keep what it says of the old path.
  if (gone.length === 0 || countColumns(database) !== columns.length + 1) return [];
  // As long as it can be seen. Those that are about to change may no longer refer to what is gone.
  markReferrers(database, 'select v.id from temp.changed c cross join main.ValidPaths v on v.path = c.path');
  const give = database.prepare(
    'insert into temp.heirs (image, id) select ?, id from main.ValidPaths where path = ?',
  );
  for (const [path, { id }] of pairUp(gone, newPaths(database))) give.run(id, path);
  // One that the image calls valid and does not have is looked for among the dead; and of what waits in the upper directory it
  // is written down what it refers to.
  database.exec(`
    delete from temp.heirs where id in (
      select v.id from temp.dead d cross join main.ValidPaths v on v.id = d.id cross join img.ValidPaths i on i.path = v.path
      union all select r.reference from temp.dead d cross join main.ValidPaths v on v.id = d.id and in_upper(v.path)
        cross join main.Refs r on r.referrer = v.id)`);
  const paths = database
    .prepare('select v.path from temp.heirs h cross join main.ValidPaths v on v.id = h.id')
    .all();
  forgetRealisations(database, '(select id from temp.heirs)');
  database.exec(`
    update main.ValidPaths as v set ${columns.map((column) => `${column} = i.${column}`).join(', ')}
      from temp.heirs h cross join img.ValidPaths i on i.id = h.image where v.id = h.id;
    delete from temp.dead where id in (select id from temp.heirs)`);
  return paths.map(({ path }) => String(path));
}

const countColumns = (database: DatabaseSync): number =>
  database.prepare(`select name from pragma_table_info('ValidPaths', 'main')`).all().length;

type New = { id: number; path: string };

function newPaths(database: DatabaseSync): New[] {
  const query = `select id, path from temp.changed c
    where not exists (select 1 from main.ValidPaths v where v.path = c.path)`;
  return database
    .prepare(query)
    .all()
    .map(({ id, path }) => ({ id: Number(id), path: String(path) }));
}

/** What is alike in paths that may have each other's rows, the best first: the name, that without a version, or nothing. */
const likenesses = [
  (path: string): string => nameOf(path),
  (path: string): string => nameOf(path).replace(/-[0-9].*/, ''),
  (): string => '',
];

const HASH_LENGTH = 32;
const nameOf = (path: string): string => basename(path).slice(HASH_LENGTH);

/** Pairs paths of two lists, as far as the shorter one goes: those of the same name, then other versions, then what is left. */
export function pairUp<T extends { path: string }>(
  some: readonly string[],
  others: readonly T[],
): [path: string, other: T][] {
  const pairs: [string, T][] = [];
  let left = inOrder(some, (path) => path).reverse();
  let waiting = inOrder(others, ({ path }) => path);
  for (const likeness of likenesses) {
    const alike = Map.groupBy(left, likeness);
    waiting = waiting.filter((other) => {
      const path = alike.get(likeness(other.path))?.pop();
      if (path !== undefined) pairs.push([path, other]);
      return path === undefined;
    });
    left = [...alike.values()].flat();
  }
  return pairs;
}

function inOrder<T>(list: readonly T[], pathOf: (item: T) => string): T[] {
  const named = list.map((item) => ({ item, name: nameOf(pathOf(item)) }));
  named.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return named.map(({ item }) => item);
}
