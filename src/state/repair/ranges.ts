import { isDamage } from '../database.ts';

/** What a query finds. */
export type Cells = Record<string, unknown>;

/** Reads rows by ranges of IDs; around those that cannot be read, in ever smaller ones. */
export function readRanges(
  read: (from: number, to: number) => Cells[],
  from: number,
  to: number,
): { found: Cells[]; complete: boolean } {
  const found = orUndefined(() => read(from, to));
  if (found !== undefined) return { found, complete: true };
  if (from === to) return { found: [], complete: false };
  const middle = Math.floor((from + to) / 2);
  const [left, right] = [readRanges(read, from, middle), readRanges(read, middle + 1, to)];
  return { found: left.found.concat(right.found), complete: false };
}

/** What was read, or undefined where the database is damaged. */
export function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}
