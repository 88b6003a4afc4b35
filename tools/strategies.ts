// `npm run strategies [-- STRATEGY…]`: does what each cell of the table in docs/strategies.md is about, and writes what came of it.
import { inLanes } from '../test/harness/lanes.ts';
import { makeNixMachine } from '../test/harness/nixMachine.ts';
import { columnNames, fillCell } from '../test/strategies/columns.ts';
import { type Table, writeTable } from '../test/strategies/table.ts';
import { prepareMachine, type Strategy, strategies } from '../test/strategies/ways.ts';

const asked = process.argv.slice(2);
const chosen = strategies.filter((strategy) => asked.length === 0 || asked.includes(strategy));
const found: Table = new Map(chosen.map((strategy) => [strategy, new Map()]));
await inLanes(2, chosen, async (strategy: Strategy) => {
  await using nix = await makeNixMachine({ volume: 'ext4', size: '300M' });
  prepareMachine(nix);
  for (const column of columnNames) {
    const started = performance.now();
    const cell = await fillCell(nix, strategy, column);
    found.get(strategy)?.set(column.replaceAll('`', ''), cell);
    console.log(`${strategy}, ${column}: ${cell} (${Math.round(performance.now() - started)} ms)`);
  }
});
writeTable(found);
