import type { Growing } from './growing.ts';
import type { Spread } from './statistics.ts';

/** How long what takes by how many of something there are. */
export type Growth = {
  which: Growing;
  what: string;
  counts: readonly number[];
  /** With a spread for each of the counts. */
  curves: readonly { name: string; spreads: readonly Spread[] }[];
};

/** A table in Markdown of medians, all of the same counts, and of what the last step of these makes of them. */
export function growthTable(growths: readonly Growth[]): string {
  const [{ counts } = { counts: [] }] = growths;
  const [last = Number.NaN, before = Number.NaN] = counts.toReversed();
  const head = ['', 'milliseconds', ...counts.map(inEnglish), `last step; linear: ${short(last / before)}`];
  const body = growths.flatMap(({ which, curves }) =>
    curves.map(({ name, spreads }) => {
      const medians = spreads.map(({ median }) => median);
      const [high = Number.NaN, low = Number.NaN] = medians.toReversed();
      return [which, `\`${name}\``, ...medians.map(milliseconds), (high / low).toFixed(2)];
    }),
  );
  const rule = head.map((_, index) => (index < 2 ? '---' : '---:'));
  return [head, rule, ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const inEnglish = (value: number): string => value.toLocaleString('en');
const short = (value: number): string => String(Math.round(value * 100) / 100);
const milliseconds = (value: number): string =>
  value < 100 ? value.toFixed(1) : inEnglish(Math.round(value));
