import { type DatabaseSync, keepPages } from '../database.ts';
import { inheritRows } from './inherit.ts';
import { columnsOf, ROWS_AT_ONCE, type Row, readRows } from './rows.ts';

/** Asked often, with what is done and what there is in all; may throw to end the work. */
export type Breathe = (done: number, total: number) => Promise<void>;

/** Ranges of row IDs that cover a table. */
function* chunks(database: DatabaseSync, table: string): Generator<[from: number, to: number]> {
  const last = lastId(database, table);
  for (let from = 0; from <= last; from += ROWS_AT_ONCE) yield [from, from + ROWS_AT_ONCE - 1];
}

/** The greatest row ID of a table: about as many rows as there are to look at, known without counting them. */
export function lastId(database: DatabaseSync, table: string): number {
  return Number(database.prepare(`select coalesce(max(id), 0) as last from ${table}`).get()?.['last']);
}

export type ImageMerged = {
  /** Image paths that the volume's database knew not, or otherwise. */
  learnt: number;
  /** Rows of the volume that the image's took the place of, where the volume has a copy of its own. */
  replaced: Row[];
  /** Paths that are no longer valid, whose rows are now others'. */
  inherited: string[];
};

/**
 * Gives the volume's database the rows of the image's (`img`) that are named in `changed`, by path, with all columns
 * (DESIGN §6.3). Leaves in `changed` those that the image does have (image IDs and paths), in `broken` the image IDs of
 * others, and in `dead` the IDs of rows with a reference that nobody knows. Calls in_lower() and in_upper() of SQL.
 * @param free paths of rows in `dead` that may be given to other paths.
 */
export function mergeImage(database: DatabaseSync, free: readonly string[]): ImageMerged {
  database.exec(`
    insert into temp.broken select id from temp.changed where not in_lower(path);
    delete from temp.changed where id in (select id from temp.broken)`);
  const replaced = readRows(database, 'v.path in (select path from temp.changed where in_upper(path))');
  const inherited = inheritRows(database, free, commonColumns(database));
  takeChanged(database);
  const counted = database.prepare('select count(*) as learnt from temp.changed').get();
  return { learnt: Number(counted?.['learnt']), replaced, inherited };
}

/** Those of ValidPaths that both databases have. */
function commonColumns(database: DatabaseSync): string[] {
  const image = new Set(columnsOf(database, 'img'));
  return columnsOf(database, 'main').filter((column) => image.has(column));
}

/**
 * Puts the image's rows that are named in `changed` in the place of the volume's, with what they refer to: of that no more is
 * touched than differs.
 */
export function takeChanged(database: DatabaseSync): void {
  const columns = commonColumns(database);
  const updates = columns.slice(1).map((column) => `${column} = excluded.${column}`);
  database.exec(`
    insert into main.ValidPaths (${columns.join(', ')})
      select ${columns.join(', ')} from img.ValidPaths
      where id in (select id from temp.changed except select image from temp.heirs) order by id
      on conflict (path) do update set ${updates.join(', ')};
    create temp table own as
      select c.id as image, v.id as id from temp.changed c join main.ValidPaths v on v.path = c.path;
    create temp table wanted (referrer integer not null, reference integer);
    insert into temp.wanted
      select o.id, v.id from temp.own o cross join img.Refs r on r.referrer = o.image
      left join img.ValidPaths i on i.id = r.reference left join main.ValidPaths v on v.path = i.path;
    insert or ignore into temp.dead select referrer from temp.wanted where reference is null;
    create index temp.wantedBy on wanted (referrer, reference);
    delete from main.Refs where referrer in (select id from temp.own) and not exists
      (select 1 from temp.wanted w where w.referrer = main.Refs.referrer and w.reference = main.Refs.reference);
    insert or ignore into main.Refs (referrer, reference)
      select referrer, reference from temp.wanted where reference is not null;
    delete from main.DerivationOutputs where drv in (select id from temp.own);
    insert into main.DerivationOutputs (drv, id, path)
      select o.id, d.id, d.path from temp.own o join img.DerivationOutputs d on d.drv = o.image`);
}

/**
 * Fills `changed` with the image's rows that the volume does not have just so. When an image was made on another, or the
 * volume from it, most rows have the same ID in both: asking for that first is several times faster than by path alone, as long
 * as it is a query of its own. When a path was registered is no difference: equal paths of two images were rarely built at the
 * same second.
 */
export async function findChanged(
  database: DatabaseSync,
  onRows: (rows: number) => Promise<void>,
): Promise<void> {
  const compared = commonColumns(database).filter((column) => column !== 'registrationTime');
  const same = compared.map((column) => `v.${column} is i.${column}`).join(' and ');
  const find = database.prepare(`
    insert into temp.changed select i.id, i.path from img.ValidPaths i
      left join main.ValidPaths v on v.id = i.id where i.id between ? and ? and (v.id is null or not (${same}))`);
  keepPages(database, 'few');
  for (const [from, to] of chunks(database, 'img.ValidPaths')) {
    find.run(from, to);
    await onRows(to - from + 1);
  }
  keepPages(database, 'many');
  database.exec(`
    delete from temp.changed where id in (select c.id from temp.changed c
      cross join main.ValidPaths v on v.path = c.path cross join img.ValidPaths i on i.id = c.id and ${same})`);
}
