import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../harness/paths.ts';
import type { Report } from './measurement.ts';

const page = join(repository, 'docs/performance.md');

/** Draws the picture of a measurement anew, and writes its tables where the page has them now. */
export function putIntoDocs(name: string, { picture, tables = {} }: Report): void {
  if (picture !== undefined) writeFileSync(join(repository, 'docs/images', `${name}.svg`), picture);
  let text = readFileSync(page, 'utf8');
  for (const [table, lines] of Object.entries(tables)) text = putTable(text, `${name} ${table}`, lines);
  writeFileSync(page, text);
}

/** The lines of a table, from the comment that names it to the next empty one. */
export function putTable(text: string, name: string, lines: string): string {
  const comment = `<!-- table ${name} -->\n`;
  const start = text.indexOf(comment);
  if (start < 0) throw new Error(`${page} has no place for the table ${name}: ${comment.trim()}`);
  const end = text.indexOf('\n\n', start);
  return `${text.slice(0, start)}${comment}${lines}${text.slice(end)}`;
}
