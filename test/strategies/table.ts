import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../harness/paths.ts';
import { columnNames } from './columns.ts';
import { strategies } from './ways.ts';

const file = join(repository, 'docs/strategies.md');
/** Both of them, by what stands above the names of strategies; each from its heading to the empty line after it. */
const tables = {
  strategy: /^\| strategy \|.*\n(?:\|.*\n)+/m,
  'from, to': /^\| from, to \|.*\n(?:\|.*\n)+/m,
} as const;

export type Table = Map<string, Map<string, string>>;

const cellsOf = (line: string): string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('`', ''));

/** What docs/strategies.md says. */
export function readTable(name: keyof typeof tables = 'strategy'): Table {
  const [text] = tables[name].exec(readFileSync(file, 'utf8')) ?? [];
  if (text === undefined) throw new Error(`${file} has no table '${name}'`);
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
  writeFileSync(file, readFileSync(file, 'utf8').replace(tables.strategy, `${lines.join('\n')}\n`));
}
