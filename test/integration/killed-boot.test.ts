import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { atGrowingDepth, changingCalls, sendAt } from '../harness/injection.ts';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import {
  fillImage,
  overlay,
  perBoot,
  reconciled,
  validPaths,
  withoutBusy,
} from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { installCommands } from '../harness/packages.ts';
import { snapshotTree } from '../harness/treeSnapshot.ts';

namespaceTest('killed at any system call of its first boot, the next one has the whole state', async () => {
  await installCommands({ strace: 'strace' });
  await using machine = await makeMachine();
  await fillImage(machine, { rows: 40 });
  const image = await wholeState(machine, '/nix/var/nix');
  const hits = await atGrowingDepth(changingCalls, async (call, n) => {
    await machine.shell('find nix-cache -mindepth 1 -delete');
    const killed = await bootInNamespace(machine, { via: sendAt(call, n, 'KILL'), args: overlay('true') });
    const next = await bootInNamespace(machine, { args: overlay('true') });
    const where = `killed at call ${n} of ${call}`;
    assert.deepEqual(next, { exitCode: 0, stdout: '', stderr: '' }, where);
    assert.deepEqual(await wholeState(machine, '/nix-cache/var/nix'), image, where);
    assert.ok(!existsSync(machine.path('/nix-cache/.nix-cache-init/seed')), where);
    return killed;
  });
  // That it was hit at all, and not only while it was being loaded.
  assert.ok(hits > 40, `${hits}`);
});

namespaceTest('killed at any system call of a later boot, what was kept is still there', async () => {
  await installCommands({ strace: 'strace' });
  await using machine = await makeMachine();
  await fillImage(machine, { rows: 40 });
  const write = 'echo kept >/nix/store/made; echo kept >/nix/var/nix/gcroots/made';
  await bootInNamespace(machine, { args: overlay('sh', '-c', write) });
  const check = overlay('cat', '/nix/store/made', '/nix/var/nix/gcroots/made');
  const calls = ['mkdir', 'write', 'rename', 'fsync', 'flock', 'rmdir', 'unlink', 'mount', 'umount2'];
  await atGrowingDepth(calls, async (call, n) => {
    const killed = await bootInNamespace(machine, { via: sendAt(call, n, 'KILL'), args: overlay('true') });
    const next = await bootInNamespace(machine, { args: check });
    assert.deepEqual(next, { exitCode: 0, stdout: 'kept\nkept\n', stderr: '' }, `call ${n} of ${call}`);
    return killed;
  });
});

/** What has to be the same in the image and on the volume. */
async function wholeState(machine: Machine, directory: string): Promise<unknown> {
  const tree = withoutBusy(await snapshotTree(machine.path(directory), [...perBoot, ...reconciled]));
  return { tree, rows: validPaths(machine.path(directory)) };
}
