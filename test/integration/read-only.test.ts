import assert from 'node:assert/strict';
import { assertFails } from '../harness/failureLine.ts';
import { bootInNamespace, startBoot } from '../harness/namespaceBoot.ts';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import { reader, writer } from '../harness/namespaceReaders.ts';
import { fillImage, storePath, validPaths } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { everythingOf } from '../harness/treeSnapshot.ts';

const idle = ['sh', '-c', 'echo ready; exec sleep 600'];
const cached = 'mkdir /nix/store/made; echo kept >/nix/store/made/file; echo r >/nix/var/nix/gcroots/made';

namespaceTest(
  'readers, many at once, see what is cached, and what they write goes with them, not to the volume',
  async () => {
    await using machine = await cachedMachine();
    const before = everythingOf(machine.path('/nix-cache'));
    const script = `cat /nix/store/made/file /nix/var/nix/gcroots/made ${storePath('hello')}/bin/hello
      echo mine >/nix/store/made/file; rm -r ${storePath('libc')}; mkdir /nix/store/"$0"
      echo own >/nix/var/nix/gcroots/own; rm /nix/var/nix/gcroots/made; ls /nix/store/"$0"`;
    const boots = Array.from({ length: 5 }, (_, n) =>
      bootInNamespace(machine, reader('sh', '-euc', script, `own-${n}`)),
    );
    for (const outcome of await Promise.all(boots)) {
      const stdout = 'kept\nr\n#!/bin/sh\necho hello of the image\n';
      assert.deepEqual(outcome, { exitCode: 0, stdout, stderr: '' });
    }
    assert.deepEqual(everythingOf(machine.path('/nix-cache')), before);
    const list = `ls /nix/store | grep -c own-; cat /nix/store/made/file; ls ${storePath('libc')}`;
    const after = await bootInNamespace(machine, reader('sh', '-c', list));
    assert.equal(after.stdout, '0\nkept\nbin\n', after.stderr);
  },
);

namespaceTest('a reader of a volume that nobody has written to sees the image', async () => {
  await using machine = await makeMachine();
  await fillImage(machine, { rows: 50 });
  const script = `cp -r /nix/var/nix/db /tmp/db; echo x >/nix/store/x; cat ${storePath('hello')}/bin/hello`;
  const outcome = await bootInNamespace(machine, reader('sh', '-euc', script));
  assert.equal(outcome.exitCode, 0, outcome.stderr);
  assert.match(outcome.stdout, /hello of the image/);
  assert.equal(await machine.shell('ls -A nix-cache'), '');
});

namespaceTest('a reader takes the lock of nobody: the writer is there before, and comes after', async () => {
  await using machine = await cachedMachine();
  {
    await using first = await startBoot(machine, writer(...idle));
    await first.waitFor(/ready/);
    await using beside = await startBoot(machine, reader(...idle));
    await beside.waitFor(/ready/);
    assert.equal(beside.errors(), '');
    first.signal('SIGTERM');
    assert.equal((await first.ended).exitCode, 143);
    const write = 'echo more >/nix/store/made/file; cat /nix/store/made/file';
    const second = await bootInNamespace(machine, writer('sh', '-euc', write));
    assert.deepEqual(second, { exitCode: 0, stdout: 'more\n', stderr: '' });
    beside.signal('SIGTERM');
    assert.equal((await beside.ended).exitCode, 143);
  }
});

namespaceTest('onLocked=read-only: one line names the holder, and the rest is as for a reader', async () => {
  await using machine = await cachedMachine();
  const polite = (...command: string[]) => {
    const { args, via } = writer(...command);
    return { args: ['--on-locked=read-only', ...args], ...(via === undefined ? {} : { via }) };
  };
  const script = 'cat /nix/store/made/file; echo x >/nix/store/x; cat /nix/store/x';
  {
    await using first = await startBoot(machine, writer(...idle));
    await first.waitFor(/ready/);
    const second = await bootInNamespace(machine, polite('sh', '-euc', script));
    assert.deepEqual([second.exitCode, second.stdout], [0, 'kept\nx\n']);
    const line =
      /^.*the volume is in use by [^"]+ \(PID 1, since 2[^"]+Z\); going on read-only: nothing new will be kept.*\n$/;
    assert.match(second.stderr, line);
  }
  const third = await bootInNamespace(machine, polite('sh', '-c', 'ls /nix/store/x; echo y >/nix/store/y'));
  assert.match(third.stderr, /x.*No such file/);
  assert.equal((await machine.shell('cat nix-cache/upper/y')).trim(), 'y');
});

namespaceTest(
  'a second init where one has mounted leaves that its mounts, whichever of the two reads',
  async () => {
    for (const [first, second] of [
      [reader(...idle), writer('true')],
      [writer(...idle), reader('true')],
      [reader(...idle), reader('true')],
    ] as const) {
      await using machine = await cachedMachine();
      await using running = await startBoot(machine, { args: first.args, shared: true });
      await running.waitFor(/ready/);
      const before = machine.mounts();
      // As `docker exec` would: in its mount namespace.
      const outcome = await bootInNamespace(machine, { args: second.args, shared: true });
      assertFails(outcome, 75, /lock: .*the store here is in use by .* \(PID 1, since/);
      assert.deepEqual(machine.mounts(), before);
    }
  },
);

namespaceTest('what a killed reader left mounted, the next one, or a writer, takes down', async () => {
  await using machine = await cachedMachine();
  const mounted = machine.mounts();
  for (const next of [reader('cat', '/nix/store/made/file'), writer('cat', '/nix/store/made/file')]) {
    await using killed = await startBoot(machine, { args: reader(...idle).args, shared: true });
    await killed.waitFor(/ready/);
    killed.signal('SIGKILL');
    await killed.ended;
    assert.notDeepEqual(machine.mounts(), mounted);
    const outcome = await bootInNamespace(machine, { args: next.args, shared: true });
    assert.deepEqual(outcome, { exitCode: 0, stdout: 'kept\n', stderr: '' });
    assert.deepEqual(machine.mounts(), mounted);
  }
});

namespaceTest('the state of a reader is whole: database, profiles, roots', async () => {
  await using machine = await cachedMachine();
  const script = 'cp -r /nix/var/nix/db /tmp/db-of-reader; readlink /nix/var/nix/profiles/default';
  const outcome = await bootInNamespace(
    machine,
    reader('sh', '-euc', `mkdir -p /tmp/copy; ${script}; mv /tmp/db-of-reader /tmp/copy/db`),
  );
  assert.deepEqual(outcome, { exitCode: 0, stdout: 'default-1-link\n', stderr: '' });
  assert.deepEqual(validPaths(machine.path('/tmp/copy')), validPaths(machine.path('/nix-cache/var/nix')));
});

async function cachedMachine(): Promise<Machine> {
  const machine = await makeMachine();
  await fillImage(machine, { rows: 50 });
  const outcome = await bootInNamespace(machine, writer('sh', '-euc', cached));
  assert.equal(outcome.exitCode, 0, outcome.stderr);
  return machine;
}
