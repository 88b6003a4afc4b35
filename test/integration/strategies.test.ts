import assert from 'node:assert/strict';
import { after, before, suite } from 'node:test';
import { namespacesMissing, namespaceTest } from '../harness/namespaceTest.ts';
import { makeNixMachine, type NixMachine } from '../harness/nixMachine.ts';
import { columnNames, fillCell } from '../strategies/columns.ts';
import { readTable } from '../strategies/table.ts';
import { prepareMachine, strategies } from '../strategies/ways.ts';

const table = readTable();

for (const strategy of strategies) {
  suite(`the table of docs/strategies.md says of ${strategy} what is so`, () => {
    let nix: NixMachine;
    before(async () => {
      if (namespacesMissing !== undefined) return;
      nix = await makeNixMachine({ volume: 'ext4', size: '300M' });
      prepareMachine(nix);
    });
    after(() => nix?.[Symbol.asyncDispose]());

    for (const column of columnNames) {
      const said = table.get(strategy)?.get(column.replaceAll('`', ''));
      namespaceTest(`${column}: ${said}`, async () => {
        assert.equal(await fillCell(nix, strategy, column), said);
      });
    }
  });
}
