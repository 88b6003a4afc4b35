import type { BigGround } from './bigGround.ts';
import type { Spread } from './statistics.ts';

/** How many signals of so many did not arrive. */
export type Loss = { lost: number; of: number };
export type Amount = { bytes: number };
export type Row = { name: string; what: string } & ((Spread & { usual?: number }) | Loss | Amount);
export type Section = { title: string; digits: number; rows: Row[] };
/** What came of it. */
export type Report = {
  rounds: number;
  /** By the names that they have in JSON. */
  sections: Record<string, Section>;
  /** For the docs: in Markdown, by name; and an SVG. */
  tables?: Record<string, string>;
  picture?: string;
};

/** By what part of itself a ratio may be over what it usually is: as noisy as a few rounds on a busy machine are. */
const MARGIN = 0.4;

/** Of the rows that have a usual value, those that are too far above it, as lines to print, and how many are not. */
export function judge({ sections }: Report): { good: number; regressions: string[] } {
  const rows = Object.values(sections).flatMap((section) => section.rows);
  const regressions: string[] = [];
  let good = 0;
  for (const row of rows) {
    if (!('usual' in row) || row.usual === undefined) continue;
    if (row.median <= row.usual * (1 + MARGIN)) good += 1;
    else
      regressions.push(
        `${row.name}, ${row.what}: ${row.median.toFixed(2)}, usually ${row.usual}, and ${MARGIN * 100} % more at most`,
      );
  }
  return { good, regressions };
}

export interface Measurement {
  /** What it is asked for by. */
  name: string;
  rounds: { full: number; quick: number };
  run(options: { rounds: number; quick: boolean; ground: BigGround }): Promise<Report>;
}

export function reportAsText({ rounds, sections, tables = {} }: Report): string {
  const blocks = Object.values(sections).map(({ title, digits, rows }) =>
    [`${title}:`, ...rows.map((row) => line(row, digits))].join('\n'),
  );
  return [`${rounds} interleaved rounds`, ...blocks, ...Object.values(tables)].join('\n');
}

export function reportAsJson({ rounds, sections }: Report): unknown {
  return {
    rounds,
    ...Object.fromEntries(Object.entries(sections).map(([name, { rows }]) => [name, rows])),
  };
}

function line(row: Row, digits: number): string {
  const name = `  ${row.name.padEnd(10)}`;
  if ('lost' in row) return `${name} ${`${row.lost}/${row.of}`.padStart(8)} lost  ${row.what}`;
  if ('bytes' in row) return `${name} ${(row.bytes / 2 ** 20).toFixed(digits).padStart(8)} MiB  ${row.what}`;
  const { median, p25, p75, min, max } = row;
  const [middle = '', low, high, least, most] = [median, p25, p75, min, max].map((value) =>
    value.toFixed(digits),
  );
  return `${name} ${middle.padStart(8)}  (half ${low}–${high}, all ${least}–${most})  ${row.what}`;
}
