import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../harness/paths.ts';
import { columnNames } from './columns.ts';
import { strategies } from './ways.ts';

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

/** Puts what was found in the place of what is there; a strategy that was not asked after keeps its row. */
export function writeTable(found: Table): void {
  const before = readTable();
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const lines = [
    row(['strategy', ...columnNames]),
    `|${'---|'.repeat(columnNames.length + 1)}`,
    ...strategies.map((strategy) => {
      const cells = found.get(strategy) ?? before.get(strategy);
      return row([
        `\`${strategy}\``,
        ...columnNames.map((name) => cells?.get(name.replaceAll('`', '')) ?? ''),
      ]);
    }),
  ];
  writeFileSync(file, readFileSync(file, 'utf8').replace(table, `${lines.join('\n')}\n`));
}
