import assert from 'node:assert/strict';
import { after, before, suite } from 'node:test';
import { makeHostNix } from '../harness/hostNix.ts';
import { namespacesMissing, namespaceTest } from '../harness/namespaceTest.ts';
import { beginAnew, makeNixMachine, type NixMachine } from '../harness/nixMachine.ts';
import { snapshotTree } from '../harness/treeSnapshot.ts';
import { changes } from '../strategies/changes.ts';
import { build, succeeded } from '../strategies/columns.ts';
import { readTable } from '../strategies/table.ts';
import { run, strategies } from '../strategies/ways.ts';

const table = readTable('from, to');

suite('changing the strategy of a volume, and back: nothing is lost', () => {
  const made = new AsyncDisposableStack();
  let nix: NixMachine;
  before(async () => {
    if (namespacesMissing !== undefined) return;
    nix = made.use(await makeNixMachine({ volume: 'tmpfs', size: '300M', images: ['A'] }));
    const host = made.use(await makeHostNix('trixie', ['b', 'w', 'old']));
    made.use(await host.startDaemon());
    await nix.machine.shell(`mkdir host; mount --bind ${host.nix} host`);
  });
  after(() => made.disposeAsync());

  namespaceTest('prefix with another storeDir: refused, and what it says helps', async () => {
    await beginAnew(nix);
    const { machine } = nix;
    const made = succeeded(await run(nix, 'prefix', build('c')));
    const volume = (): Promise<Record<string, string>> =>
      // Who has the lock, or had it last, is in it.
      snapshotTree(machine.path('/nix-cache'), ['.nix-cache-init']);
    const before = await volume();
    const flags = ['--store-dir=/nix-cache/other'];
    const refused = await run(nix, 'prefix', build('c'), { flags });
    assert.equal(refused.exitCode, 78, refused.stderr);
    const [, stateDir] =
      /: EEXIST \(set storeDir=\/nix-cache\/store, or (stateDir=\S+) /.exec(refused.stderr) ?? [];
    assert.ok(stateDir, refused.stderr);
    assert.deepEqual(await volume(), before);
    const beside = { flags: [...flags, stateDir.replace('stateDir', '--state-dir')] };
    assert.notEqual(succeeded(await run(nix, 'prefix', build('c'), beside)), made);
    succeeded(await run(nix, 'prefix', 'nix-store --verify --check-contents', beside));
    assert.equal(succeeded(await run(nix, 'prefix', `${build('c')}; nix-store --verify`)), made);
  });

  for (const from of strategies)
    namespaceTest(`${from} to each other one`, async () => {
      const said = new Map(table.get(from));
      assert.equal(said.get(from), '', 'nothing is said of no change');
      said.delete(from);
      assert.deepEqual(await changes(nix, from), said);
    });
});
