import type { Check } from './check.ts';

const headings = { check: 'check', found: 'found', needed: 'needed' };

/** The checks for people; below one that failed, what to type. */
export function formatChecks(checks: readonly Check[]): string {
  const width = (column: 'check' | 'found'): number =>
    Math.max(...[headings, ...checks].map((row) => row[column].length));
  const [first, second] = [width('check'), width('found')];
  const line = (mark: string, { check, found, needed }: typeof headings): string =>
    `${mark.padEnd(4)}  ${check.padEnd(first)}  ${found.padEnd(second)}  ${needed}`;
  const lines = checks.flatMap((check) => {
    const { ok, remedy } = check;
    const row = line(ok ? 'ok' : 'FAIL', check);
    return remedy === undefined ? [row] : [row, `      remedy: ${remedy}`];
  });
  return `${[line('', headings), ...lines].join('\n')}\n`;
}
