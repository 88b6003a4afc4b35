import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';

const show = overlay('cat', '/etc/nix/nix.conf');
const defaults = /^# Made by nix-cache-init.*\nauto-optimise-store = false\n/;

namespaceTest('our defaults come before the lines of the image, which so count for more', async () => {
  await using machine = await imageMachine();
  writeFileSync(machine.path('/etc/nix/nix.conf'), 'auto-optimise-store = true\n');
  const { stdout } = await bootInNamespace(machine, { args: show });
  assert.match(stdout, defaults);
  assert.match(stdout, /\nauto-optimise-store = true\n$/);
});

namespaceTest('an image without nix.conf gets ours', async () => {
  await using machine = await imageMachine();
  assert.match((await bootInNamespace(machine, { args: show })).stdout, defaults);
});

namespaceTest(
  'a nix.conf that is a link into the store is read from the image, collected or not',
  async () => {
    await using machine = await imageMachine();
    const inStore = '/nix/store/0000-nix.conf';
    writeFileSync(machine.path(inStore), 'cores = 3\n');
    symlinkSync(inStore, machine.path('/etc/nix/nix.conf'));
    // Neither the link nor where it leads is mounted over, so a collection can remove it, and leaves a whiteout.
    const collect = overlay('sh', '-c', `rm ${inStore} && cat /etc/nix/nix.conf`);
    for (const args of [collect, show]) {
      const { exitCode, stdout, stderr } = await bootInNamespace(machine, { args });
      assert.equal(exitCode, 0, stderr);
      assert.match(stdout, defaults);
      assert.match(stdout, /\ncores = 3\n$/);
    }
  },
);

async function imageMachine(): Promise<Machine> {
  const machine = await makeMachine();
  await fillImage(machine);
  mkdirSync(machine.path('/etc/nix'), { recursive: true });
  return machine;
}
