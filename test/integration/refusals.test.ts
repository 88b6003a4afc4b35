import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { assertFails } from '../harness/failureLine.ts';
import { bootInNamespace, type NamespaceBoot, startBoot } from '../harness/namespaceBoot.ts';
import { type Machine, type MachineOptions, makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';

const locked: NamespaceBoot = { args: overlay('true') };

namespaceTest(
  'a volume that another init holds is refused with 75, and is free once that has ended',
  async () => {
    await using machine = await imageMachine();
    {
      await using first = await startBoot(machine, {
        args: overlay('sh', '-c', 'echo ready; exec sleep 60'),
      });
      await first.waitFor(/ready/);
      await assertRefused(machine, locked, 75, /lock: .*in use by .*: E[A-Z]+ /);
      first.signal('SIGTERM');
      assert.equal((await first.ended).exitCode, 143);
    }
    assert.equal((await bootInNamespace(machine, locked)).exitCode, 0);
  },
);

namespaceTest('onLocked=wait waits for the volume, and gives up with 75 after lockTimeout', async () => {
  await using machine = await imageMachine();
  await using first = await startBoot(machine, { args: overlay('sh', '-c', 'echo ready; exec sleep 60') });
  await first.waitFor(/ready/);
  const wait = (timeout: string) => ({
    args: ['--on-locked=wait', `--lock-timeout=${timeout}`, ...overlay('true')],
  });
  await assertRefused(machine, wait('100ms'), 75, /lock/);
  const patient = bootInNamespace(machine, wait('1m'));
  first.signal('SIGTERM');
  assert.equal((await patient).exitCode, 0);
});

namespaceTest('without CAP_SYS_ADMIN the overlay is refused with 77', async () => {
  await using machine = await imageMachine();
  const via = 'exec setpriv --inh-caps -sys_admin --bounding-set -sys_admin "$@"';
  await assertRefused(machine, { ...locked, via }, 77, /mount: .*CAP_SYS_ADMIN: EPERM/);
});

namespaceTest('a read-only volume is refused with 74', async () => {
  await using machine = await imageMachine();
  const readOnly = `mount -o remount,bind,ro /nix-cache`;
  await assertRefused(
    machine,
    { ...locked, via: `${readOnly}; exec "$@"` },
    74,
    /\/nix-cache.*: EROFS/,
    false,
  );
});

namespaceTest('a volume that is full on the first boot is refused with 74, and stays usable', async () => {
  await using machine = await imageMachine({ size: '64k' });
  await assertRefused(machine, locked, 74, /: ENOSPC \(/);
  await machine.shell('mount -o remount,size=64m nix-cache');
  assert.equal((await bootInNamespace(machine, locked)).exitCode, 0);
});

namespaceTest('a missing volume and a missing store are refused with 78', async () => {
  await using machine = await imageMachine({ volume: 'none' });
  await assertRefused(machine, locked, 78, /\/nix-cache does not exist.*: ENOENT/);
  await using storeless = await makeMachine();
  rmSync(storeless.path('/nix'), { recursive: true });
  await assertRefused(storeless, locked, 78, /\/nix\/store does not exist: ENOENT/);
});

namespaceTest('a damaged manifest, and one of a newer version, are refused with 78', async () => {
  await using machine = await imageMachine();
  const own = machine.path('/nix-cache/.nix-cache-init');
  mkdirSync(own);
  writeFileSync(`${own}/manifest.json`, '{"format"');
  await assertRefused(machine, locked, 78, /manifest\.json is damaged/);
  writeFileSync(`${own}/manifest.json`, '{"format": 99}');
  await assertRefused(machine, locked, 78, /manifest\.json is of format 99, not 1/);
});

async function imageMachine(options: MachineOptions = {}): Promise<Machine> {
  const machine = await makeMachine(options);
  await fillImage(machine, { rows: 2000 });
  return machine;
}

async function assertRefused(
  machine: Machine,
  boot: NamespaceBoot,
  exitCode: number,
  line: RegExp,
  shared = true,
): Promise<void> {
  const before = machine.mounts();
  assertFails(await bootInNamespace(machine, { ...boot, shared }), exitCode, line);
  if (shared) assert.deepEqual(machine.mounts(), before);
}
