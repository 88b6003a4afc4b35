import { isPart, type Row, rowsOf } from './rows.ts';
import type { Analysis } from './schema.ts';

const CELLS = 30;

/** The table for people, with a bar for when and how long. */
export function formatAnalysis(analysis: Analysis): string {
  const { strategy, began, ms } = analysis;
  const rows = rowsOf(analysis);
  const width = Math.max(8, number(ms).length);
  const line = (start: string, took: string, bar: string, what: string): string =>
    `${start.padStart(width)}  ${took.padStart(width)}  ${bar.padEnd(CELLS)}  ${what}`.trimEnd();
  return [
    line('at ms', 'took ms', '', `boot of ${began}`),
    ...rows.map((row) =>
      line(number(row.start), number(row.ms), bar(row, ms), `${isPart(row) ? '  ' : ''}${row.label}`),
    ),
    line('', number(ms), '', `from the start of Node to the command, with strategy ${strategy}`),
    '',
  ].join('\n');
}

const number = (ms: number): string => ms.toFixed(2);

/** What takes less than half of a cell fills none, and is still to be seen. */
function bar({ start, ms }: Row, whole: number): string {
  const cell = whole / CELLS || 1;
  const from = Math.min(Math.floor(start / cell), CELLS - 1);
  const cells = Math.min(Math.round(ms / cell), CELLS - from);
  return `${' '.repeat(from)}${'█'.repeat(cells) || '▏'}`;
}
