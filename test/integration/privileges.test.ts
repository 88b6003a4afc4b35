import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { assertFails, assertOneWarning } from '../harness/failureLine.ts';
import { bootInNamespace, type NamespaceBoot, plain } from '../harness/namespaceBoot.ts';
import type { Machine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import {
  capability,
  capabilitySet,
  makeMachineWithUsers,
  notPrivileged,
  showStatus,
  statusField,
  without,
} from '../harness/namespaceUsers.ts';
import { installCommands } from '../harness/packages.ts';

const { sysAdmin, chown, netBindService } = capability;
const allSets = ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb'] as const;

/** The main command's status, after a boot that had nothing to say. */
async function statusOf(
  machine: Machine,
  flags: string[],
  boot: Partial<NamespaceBoot> = {},
): Promise<string> {
  const args = [...flags, ...plain(...showStatus)];
  const outcome = await bootInNamespace(machine, { via: notPrivileged(), ...boot, args });
  assert.deepEqual([outcome.exitCode, outcome.stderr], [0, '']);
  return outcome.stdout;
}

/** With SYS_ADMIN in all five sets, as some engines leave them. */
const inAllSets = notPrivileged('--inh-caps=+sys_admin', '--ambient-caps=+sys_admin');

namespaceTest('by default the command loses SYS_ADMIN from all five sets, and nothing else', async () => {
  await using machine = await makeMachineWithUsers();
  for (const via of [notPrivileged(), inAllSets]) {
    const kept = await statusOf(machine, ['--capabilities', 'keep'], { via });
    const lost = await statusOf(machine, [], { via });
    assert.equal(capabilitySet(kept, 'Eff') & sysAdmin, sysAdmin);
    for (const set of allSets) {
      assert.equal(capabilitySet(lost, set), capabilitySet(kept, set) & ~sysAdmin, set);
      if (via === inAllSets) assert.equal(capabilitySet(kept, set) & sysAdmin, sysAdmin, set);
    }
  }
});

namespaceTest('in a fully privileged container nothing is lost', async () => {
  await using machine = await makeMachineWithUsers();
  // Whoever runs the tests may have less than all: here the kernel knows fewer.
  const privileged = 'echo 20 >/tmp/last; mount --bind /tmp/last /proc/sys/kernel/cap_last_cap; exec "$@"';
  const status = await statusOf(machine, [], { via: privileged });
  assert.equal(capabilitySet(status, 'Bnd') & sysAdmin, sysAdmin);
  assert.equal(capabilitySet(status, 'Eff') & sysAdmin, sysAdmin);
});

namespaceTest('a list is all that root keeps', async () => {
  await using machine = await makeMachineWithUsers();
  const flags = ['--capabilities', '["CAP_CHOWN", "net_bind_service"]'];
  for (const via of [notPrivileged(), inAllSets]) {
    const status = await statusOf(machine, flags, { via });
    const sets = allSets.map((set) => capabilitySet(status, set));
    const list = chown | netBindService;
    assert.deepEqual(sets, [0n, list, list, list, 0n]);
  }
});

namespaceTest('a list is effective for a user who is not root, and is all there is', async () => {
  await using machine = await makeMachineWithUsers();
  const flags = ['--user', 'alice', '--capabilities', '["CHOWN"]'];
  const status = await statusOf(machine, flags, { via: inAllSets });
  for (const set of allSets) assert.equal(capabilitySet(status, set), chown, set);
  assert.equal(statusField(status, 'Uid'), '1000 1000 1000 1000');
  const none = await statusOf(machine, ['--user', 'alice', '--capabilities', '[]']);
  for (const set of allSets) assert.equal(capabilitySet(none, set), 0n, set);
});

/** A copy of a program with a set-user-ID bit, and one with a file capability. */
async function makeGainingPrograms(machine: Machine): Promise<void> {
  await installCommands({ setcap: 'libcap2-bin' });
  await machine.shell(`
    mkdir gain
    cp usr/bin/cat gain/setuid; chmod 4755 gain/setuid
    cp usr/bin/cat gain/capable; setcap cap_sys_admin+ep gain/capable`);
}

namespaceTest('neither a setuid-root nor a file-capability program brings SYS_ADMIN back', async () => {
  await using machine = await makeMachineWithUsers();
  await makeGainingPrograms(machine);
  for (const user of ['alice', 'root']) {
    const gain = (program: string, mode: string) =>
      bootInNamespace(machine, {
        via: notPrivileged(),
        args: ['--user', user, '--capabilities', mode, ...plain(`/gain/${program}`, '/proc/self/status')],
      });
    for (const program of ['setuid', 'capable']) {
      const control = await gain(program, 'keep');
      assert.equal(
        capabilitySet(control.stdout, 'Eff') & sysAdmin,
        sysAdmin,
        `${program}, ${control.stderr}`,
      );
    }
    const setuid = await gain('setuid', 'auto');
    assert.equal(statusField(setuid.stdout, 'Uid').split(' ')[1], '0');
    assert.equal(capabilitySet(setuid.stdout, 'Prm') & sysAdmin, 0n);
    // A program that says it needs what cannot be had is not executed at all.
    assertFails(await gain('capable', 'auto'), 126, /EPERM/);
  }
});

namespaceTest('noNewPrivileges is for the command, and holds for what it starts', async () => {
  await using machine = await makeMachineWithUsers();
  await makeGainingPrograms(machine);
  const gain = plain('sh', '-c', '/gain/setuid /proc/self/status');
  const boot = (...flags: string[]) =>
    bootInNamespace(machine, { args: ['--user', 'alice', ...flags, ...gain] });
  const control = (await boot()).stdout;
  assert.deepEqual([statusField(control, 'NoNewPrivs'), statusField(control, 'Uid')], ['0', '1000 0 0 0']);
  const status = (await boot('--no-new-privileges', 'true')).stdout;
  assert.deepEqual(
    [statusField(status, 'NoNewPrivs'), statusField(status, 'Uid')],
    ['1', '1000 1000 1000 1000'],
  );
});

namespaceTest(
  'with less privileges a command that cannot start is still told from one that is not there',
  async () => {
    await using machine = await makeMachineWithUsers();
    writeFileSync(machine.path('/usable'), 'neither an ELF program nor a script\n');
    chmodSync(machine.path('/usable'), 0o755);
    const start = (command: string) =>
      bootInNamespace(machine, { via: notPrivileged(), args: plain(command) });
    assertFails(await start('no-such-command'), 127, /no-such-command: ENOENT/);
    assertFails(await start('/etc/passwd/x'), 127, /ENOTDIR/);
    assertFails(await start('/etc/passwd'), 126, /EACCES/);
    assertFails(await start('/usable'), 126, /ENOEXEC/);
  },
);

namespaceTest('the command cannot unmount the store, and init can', async () => {
  await using machine = await makeMachineWithUsers({});
  await fillImage(machine);
  const before = machine.mounts();
  const script = 'touch /nix/store/new && umount -l /nix/store && echo unmounted';
  const boot = (mode: string) =>
    bootInNamespace(machine, {
      shared: true,
      via: notPrivileged(),
      args: ['--capabilities', mode, ...overlay('sh', '-c', script)],
    });
  const outcome = await boot('auto');
  assert.equal(outcome.stdout, '');
  assert.match(outcome.stderr, /^umount: .*(denied|permitted|superuser)/);
  assert.deepEqual(machine.mounts(), before);
  assert.match((await boot('keep')).stdout, /unmounted/);
});

namespaceTest('without CAP_SETPCAP one warning says so, and a list is refused with 77', async () => {
  await using machine = await makeMachineWithUsers();
  const via = without('setpcap');
  const start = (...flags: string[]) =>
    bootInNamespace(machine, { via, args: [...flags, ...plain(...showStatus)] });
  const outcome = await start();
  assertOneWarning(outcome, /CAP_SYS_ADMIN.*CAP_SETPCAP.*--cap-add SETPCAP/);
  assert.equal(capabilitySet(outcome.stdout, 'Bnd') & sysAdmin, sysAdmin);
  assert.equal((await start('--capabilities', 'keep')).stderr, '');
  assertFails(await start('--capabilities', '["CHOWN"]'), 77, /SETPCAP: EPERM \(.*--cap-add SETPCAP/);
});

namespaceTest('a list with what the container does not have is refused with 77', async () => {
  await using machine = await makeMachineWithUsers();
  const args = ['--capabilities', '["CHOWN"]', ...plain('true')];
  const outcome = await bootInNamespace(machine, { via: without('chown'), args });
  assertFails(outcome, 77, /does not have CHOWN: EPERM \(.*--cap-add CHOWN/);
});

namespaceTest('an unknown capability is refused with 78 before anything is mounted', async () => {
  await using machine = await makeMachineWithUsers({});
  await fillImage(machine);
  const before = machine.mounts();
  const args = ['--capabilities', '["NET_BIND_SERVIC"]', ...overlay('true')];
  const outcome = await bootInNamespace(machine, { shared: true, args });
  assertFails(outcome, 78, /NET_BIND_SERVIC: EINVAL \(.*NET_BIND_SERVICE/);
  assert.deepEqual(machine.mounts(), before);
});

namespaceTest('an init that is not root has nothing to lose, and says nothing', async () => {
  await using machine = await makeMachineWithUsers();
  const via = notPrivileged('--reuid=1000', '--clear-groups');
  const status = await statusOf(machine, [], { via });
  assert.equal(capabilitySet(status, 'Bnd') & sysAdmin, sysAdmin);
  const strict = await statusOf(machine, ['--no-new-privileges', 'yes'], { via });
  assert.equal(statusField(strict, 'NoNewPrivs'), '1');
  const refused = await bootInNamespace(machine, { via, args: ['--capabilities', '[]', ...plain('true')] });
  assertFails(refused, 77, /SETPCAP/);
});

namespaceTest('an init that is not root and holds SYS_ADMIN gives up what it can', async () => {
  await using machine = await makeMachineWithUsers();
  const ambient = notPrivileged(
    '--reuid=1000',
    '--clear-groups',
    '--inh-caps=+sys_admin,+setpcap',
    '--ambient-caps=+sys_admin,+setpcap',
  );
  const status = await statusOf(machine, [], { via: ambient });
  for (const set of allSets) assert.equal(capabilitySet(status, set) & sysAdmin, 0n, set);
  const kept = await statusOf(machine, ['--capabilities', 'keep'], { via: ambient });
  for (const set of allSets) assert.equal(capabilitySet(kept, set) & sysAdmin, sysAdmin, set);
});

namespaceTest('a command that asks to die with its parent lives as long as init does', async () => {
  await using machine = await makeMachineWithUsers();
  // To the kernel the parent is the thread that started it (PR_SET_PDEATHSIG in prctl(2)).
  const { exitCode, stderr } = await bootInNamespace(machine, {
    via: notPrivileged(),
    args: plain('setpriv', '--pdeathsig', 'KILL', 'sh', '-c', 'sleep 0.5; exit 5'),
  });
  assert.equal(exitCode, 5, stderr);
});
