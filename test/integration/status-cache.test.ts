import assert from 'node:assert/strict';
import { reportSchema } from '../../src/control/report.ts';
import { program } from '../harness/checking.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { buildLine } from '../harness/nix.ts';
import { makeNixMachine, type NixMachine } from '../harness/nixMachine.ts';

async function cacheAfterBuild(nix: NixMachine) {
  const script = `${buildLine('c')} >&2; sync; ${program} status --json`;
  const { exitCode, stdout, stderr } = await nix.boot(['sh', '-euc', script]);
  assert.equal(exitCode, 0, stderr);
  return reportSchema.parse(JSON.parse(stdout)).cache;
}

namespaceTest(
  'status measures what is cached as du does, and counts what is shared with the image',
  async () => {
    await using nix = await makeNixMachine({ volume: 'ext4', size: '128M' });
    const cache = await cacheAfterBuild(nix);
    const [du] = (await nix.machine.shell('du -s --block-size=1 nix-cache/upper')).split('\t');
    assert.equal(cache?.directory, '/nix-cache/upper');
    // The path and its derivation.
    assert.ok((cache?.paths ?? 0) >= 2);
    assert.ok((cache?.sharedWithImage ?? 0) > 0);
    assert.ok(Math.abs((cache?.bytes ?? 0) - Number(du)) <= 8192, `${cache?.bytes} ${du}`);
  },
);
