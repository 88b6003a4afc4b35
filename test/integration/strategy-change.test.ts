import assert from 'node:assert/strict';
import { after, before, suite } from 'node:test';
import { makeHostNix } from '../harness/hostNix.ts';
import { namespacesMissing, namespaceTest } from '../harness/namespaceTest.ts';
import { makeNixMachine, type NixMachine } from '../harness/nixMachine.ts';
import { change } from '../strategies/changes.ts';
import { readTable } from '../strategies/table.ts';
import { strategies } from '../strategies/ways.ts';

const table = readTable('from, to');

suite('changing the strategy of a volume, and back: nothing is lost', () => {
  const made = new AsyncDisposableStack();
  let nix: NixMachine;
  before(async () => {
    if (namespacesMissing !== undefined) return;
    nix = made.use(await makeNixMachine({ volume: 'tmpfs', size: '300M' }));
    const host = made.use(await makeHostNix('trixie', ['b', 'w', 'old']));
    made.use(await host.startDaemon());
    await nix.machine.shell(`mkdir host; mount --bind ${host.nix} host`);
  });
  after(() => made.disposeAsync());

  for (const from of strategies)
    for (const to of strategies) {
      if (from === to) continue;
      const said = table.get(from)?.get(to);
      namespaceTest(`${from} to ${to}: ${said}`, async () => {
        assert.equal(await change(nix, from, to), said);
      });
    }
});
