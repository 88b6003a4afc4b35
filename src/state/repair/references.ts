import type { DatabaseSync } from '../database.ts';
import { type Cells, orUndefined, readRanges } from './ranges.ts';

/**
 * Tells what a row of a damaged database refers to. SQLite notices most damage, but of a page whose end is zeros it finds no
 * less than an honest nothing. References are in three trees, though: the table, and two indexes of it. What two of them
 * agree on is believed.
 * @returns a function that returns undefined when no two do.
 */
export function referenceReader(database: DatabaseSync): (id: number) => number[] | undefined {
  const { found, complete } = readTable(database);
  const table = Map.groupBy(found, ({ referrer }) => Number(referrer));
  const covering = database.prepare('select reference from Refs where referrer = ?');
  // Of the rows that this index finds, their number is in no other.
  const count = orUndefined(() => database.prepare(counting));
  return (id) => {
    const listed = numbers(orUndefined(() => covering.all(id)));
    const scanned = numbers(table.get(id) ?? []);
    const counted = orUndefined(() => count?.get(id))?.['counted'];
    if (listed !== undefined && listed.length === counted) return listed;
    if (scanned === undefined) return undefined;
    if (scanned.length === counted) return scanned;
    const agreed = listed === undefined || String(listed) === String(scanned);
    return agreed && (complete || (listed !== undefined && scanned.length > 0)) ? scanned : undefined;
  };
}

const counting = 'select count(*) as counted from Refs indexed by IndexReferrer where referrer = ?';

/** The table by itself, as far as it goes. */
function readTable(database: DatabaseSync): { found: Cells[]; complete: boolean } {
  const last = orUndefined(() => database.prepare('select max(rowid) as last from Refs not indexed').get());
  if (last === undefined) return { found: [], complete: false };
  const scan = database.prepare(
    'select referrer, reference from Refs not indexed where rowid between ? and ?',
  );
  const { found, complete } = readRanges((from, to) => scan.all(from, to), 0, Number(last['last'] ?? 0));
  const whole = numbers(found) !== undefined && found.every(({ referrer }) => isId(referrer));
  return { found, complete: complete && whole };
}

const isId = (value: unknown): value is number => Number.isInteger(value) && Number(value) > 0;

/** What is referred to, in order; undefined if it is nothing that Nix would have written. */
function numbers(rows: readonly Cells[] | undefined): number[] | undefined {
  const references = rows?.map(({ reference }) => reference);
  return references?.every(isId) ? references.toSorted((a, b) => a - b) : undefined;
}
