import type { BigGround } from './bigGround.ts';
import type { Spread } from './statistics.ts';

/** How many signals of so many did not arrive. */
export type Loss = { lost: number; of: number };
export type Row = { name: string; what: string } & (Spread | Loss);
export type Section = { title: string; digits: number; rows: Row[] };
/** The rounds, and sections by the names that they have in JSON. */
export type Report = { rounds: number; sections: Record<string, Section> };

export interface Measurement {
  /** What it is asked for by. */
  name: string;
  rounds: { full: number; quick: number };
  run(options: { rounds: number; quick: boolean; ground: BigGround }): Promise<Report>;
}

export function reportAsText({ rounds, sections }: Report): string {
  const blocks = Object.values(sections).map(({ title, digits, rows }) =>
    [`${title}:`, ...rows.map((row) => line(row, digits))].join('\n'),
  );
  return [`${rounds} interleaved rounds`, ...blocks].join('\n');
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
  const { median, p25, p75, min, max } = row;
  const [middle = '', low, high, least, most] = [median, p25, p75, min, max].map((value) =>
    value.toFixed(digits),
  );
  return `${name} ${middle.padStart(8)}  (half ${low}–${high}, all ${least}–${most})  ${row.what}`;
}
