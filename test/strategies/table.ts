import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../harness/paths.ts';
import { columnNames } from './columns.ts';

const file = join(repository, 'docs/strategies.md');
/** From its heading to the empty line after it. */
const table = /^\| strategy \|.*\n(?:\|.*\n)+/m;

export type Table = Map<string, Map<string, string>>;

const cellsOf = (line: string): string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('`', ''));

/** What docs/strategies.md says. */
export function readTable(): Table {
  const [text] = table.exec(readFileSync(file, 'utf8')) ?? [];
  if (text === undefined) throw new Error(`${file} has no table of strategies`);
  const [heading = '', , ...lines] = text.trimEnd().split('\n');
  const [, ...names] = cellsOf(heading);
  return new Map(
    lines.map((line) => {
      const [strategy = '', ...cells] = cellsOf(line);
      return [strategy, new Map(names.map((name, index) => [name, cells[index] ?? '']))];
    }),
  );
}

/** Puts a table in the place of the one that is there; a row that it lacks stays. */
export function writeTable(found: Table): void {
  const all: Table = new Map([...readTable(), ...found]);
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const lines = [
    row(['strategy', ...columnNames]),
    `|${'---|'.repeat(columnNames.length + 1)}`,
    ...Array.from(all, ([strategy, cells]) =>
      row([`\`${strategy}\``, ...columnNames.map((name) => cells.get(name.replaceAll('`', '')) ?? '')]),
    ),
  ];
  writeFileSync(file, readFileSync(file, 'utf8').replace(table, `${lines.join('\n')}\n`));
}
