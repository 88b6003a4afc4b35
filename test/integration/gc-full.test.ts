import assert from 'node:assert/strict';
import { collectIn } from '../harness/collecting.ts';
import { overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { makeNixMachine } from '../harness/nixMachine.ts';
import { idle, startRunningBoot } from '../harness/runningBoot.ts';

/** Not one block is left, nor what root has kept for it. */
const fill = `
  cp /dev/zero /nix-cache/ballast 2>/dev/null || true
  until ! head -c 1 /dev/zero >>/nix-cache/ballast 2>/dev/null; do :; done
  test "$(stat -f -c %f /nix-cache)" -eq 0`;

for (const suite of ['bookworm', 'forky'] as const)
  namespaceTest(`${suite}: a volume without a free block is collected, and Nix works again`, async () => {
    await using nix = await makeNixMachine({ suite, size: '64M' });
    const kept = await nix.build('d');
    const garbage = await nix.build('big');
    await nix.nix(`nix-env --profile /nix/var/nix/profiles/mine --set ${kept}`);
    await using running = await startRunningBoot(nix.machine, { args: overlay(...idle) });
    // As SQLite leaves them after a power cut or a checkpoint: the next Nix has to make its log anew.
    await running.shell('rm -f /nix-cache/var/nix/db/db.sqlite-shm');
    await running.shell(fill);
    const nixAlone = await running.attempt('nix-store --gc --max-freed 1');
    if (nixAlone.exitCode === 0) throw new Error('the volume was not full');

    // Twice: what only looks must leave room for what deletes.
    for (const flags of [['--dry-run'], ['--dry-run'], []]) {
      const { exitCode, stdout, stderr } = await collectIn(running, ...flags);
      assert.equal(exitCode, 0, stderr);
      assert.ok(stdout.includes(garbage), stdout);
    }
    assert.equal(await running.shell(`ls -d ${garbage} 2>/dev/null || echo gone`), 'gone');
    await running.shell(`nix-store --verify --check-contents; nix-store --check-validity ${kept}`);
    // The reserve is whole again, for the next time.
    assert.equal(await running.shell('stat -c %b /nix-cache/var/nix/db/reserved'), '16384');
  });
