import assert from 'node:assert/strict';
import { bootInNamespace, type NamespaceBoot } from '../harness/namespaceBoot.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';

/** Writes to the store, and says that it could. */
const use = ['sh', '-euc', 'echo new >/nix/store/new; cat /nix/store/new; exit 3'];
const used = { exitCode: 3, stdout: 'new\n', stderr: '' };

async function bootsTwice(boot: NamespaceBoot): Promise<void> {
  await using machine = await makeMachine();
  await fillImage(machine);
  // The one user that a rootless namespace has here owns everything.
  if (boot.rootless) await machine.shell('chown -R 0:0 nix');
  for (const which of ['first', 'second'])
    assert.deepEqual(await bootInNamespace(machine, boot), used, `${which} boot`);
}

namespaceTest('a read-only root file system will do', async () => {
  await bootsTwice({ via: 'mount -o remount,bind,ro /; exec "$@"', args: overlay(...use) });
});

namespaceTest('neither /tmp nor /dev/shm is needed', async () => {
  await bootsTwice({ via: 'rm -rf /tmp /dev/shm; exec "$@"', args: overlay(...use) });
});

namespaceTest('a user namespace will do, as rootless engines make it', async () => {
  await bootsTwice({ rootless: true, args: overlay(...use) });
});

namespaceTest('a store that is a mount of its own will do', async () => {
  await bootsTwice({
    via: 'mount --bind /nix/store /nix/store; exec "$@"',
    args: overlay(...use),
  });
});

namespaceTest(
  'the volume may be elsewhere, also where overlayfs would read separators into its name',
  async () => {
    const args = ['--cache-dir=/a,b:c\\d', ...overlay(...use)];
    await bootsTwice({
      via: 'ln -sfn /nix-cache "/a,b:c\\\\d"; exec "$@"',
      args,
    });
    await bootsTwice({
      via: 'mkdir -p "/a,b:c\\\\d"; mount --bind /nix-cache "/a,b:c\\\\d"; exec "$@"',
      args,
    });
  },
);

namespaceTest('a volume that has run full boots like any other', async () => {
  await using machine = await makeMachine();
  await fillImage(machine);
  assert.equal((await bootInNamespace(machine, { args: overlay('true') })).exitCode, 0);
  await machine.shell('cat /dev/zero >nix-cache/filled 2>/dev/null || true');
  const outcome = await bootInNamespace(machine, { args: overlay('sh', '-c', 'echo runs; exit 3') });
  assert.deepEqual(outcome, { exitCode: 3, stdout: 'runs\n', stderr: '' });
});
