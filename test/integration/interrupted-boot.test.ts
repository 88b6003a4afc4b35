import assert from 'node:assert/strict';
import { atGrowingDepth, sendAt, sendToInitAt } from '../harness/injection.ts';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay, validPaths } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { installCommands } from '../harness/packages.ts';

const calls = ['mkdir', 'openat', 'lchown', 'sendfile', 'rename', 'flock', 'syncfs', 'mount'];

namespaceTest(
  'TERM at any moment of a boot ends it, leaves nothing mounted, and the next one works',
  async () => {
    await using machine = await imageMachine();
    await atGrowingDepth(calls, async (call, n) => {
      await machine.shell('find nix-cache -mindepth 1 -delete');
      const before = machine.mounts();
      // A main command that is up when TERM comes is told in its turn.
      const via = sendAt(call, n, 'TERM');
      const outcome = await bootInNamespace(machine, { shared: true, via, args: overlay('true') });
      const where = `TERM at call ${n} of ${call}: ${outcome.stderr}`;
      assert.ok(outcome.exitCode === 143 || outcome.exitCode === 0, where);
      assert.deepEqual(machine.mounts(), before, where);
      await assertBoots(machine, where);
      return outcome;
    });
  },
);

namespaceTest('TERM to PID 1 while it starts, seeds or mounts ends the boot with 143', async () => {
  await using machine = await imageMachine();
  for (const [call, n] of [
    // While Node itself still starts.
    ['epoll_create1', 1],
    ['lchown', 3],
    ['syncfs', 1],
    ['rename', 1],
    ['mount', 1],
    ['mount', 4],
  ] as const) {
    await machine.shell('find nix-cache -mindepth 1 -delete');
    const before = machine.mounts();
    const args = overlay('sh', '-c', 'echo started');
    const via = sendToInitAt(call, n, 'TERM');
    const outcome = await bootInNamespace(machine, { shared: true, via, args });
    assert.deepEqual(outcome, { exitCode: 143, stdout: '', stderr: '' }, `call ${n} of ${call}`);
    assert.deepEqual(machine.mounts(), before);
    await assertBoots(machine, call);
  }
});

// Node catches TERM once for itself before our first line, to restore the terminal; a PID 1 does not die of it.

namespaceTest('TERM while it waits for the volume ends the waiting', async () => {
  await using machine = await imageMachine();
  const hold = 'flock /nix-cache/.nix-cache-init/lock sleep 60 &';
  const via = `mkdir -p /nix-cache/.nix-cache-init; ${hold} sleep 0.3; (sleep 0.5; kill -TERM 1) & exec "$@"`;
  const args = ['--on-locked=wait', '--lock-timeout=1h', ...overlay('true')];
  const outcome = await bootInNamespace(machine, { via, args });
  assert.deepEqual([outcome.exitCode, outcome.stderr], [143, '']);
});

async function imageMachine(): Promise<Machine> {
  await installCommands({ strace: 'strace' });
  const machine = await makeMachine();
  await fillImage(machine, { rows: 40 });
  return machine;
}

async function assertBoots(machine: Machine, where: string): Promise<void> {
  const next = await bootInNamespace(machine, { args: overlay('true') });
  assert.deepEqual(next, { exitCode: 0, stdout: '', stderr: '' }, where);
  assert.deepEqual(
    validPaths(machine.path('/nix-cache/var/nix')),
    validPaths(machine.path('/nix/var/nix')),
    where,
  );
}
