import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { assertFails } from '../harness/failureLine.ts';
import { bootInNamespace, plain } from '../harness/namespaceBoot.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';

namespaceTest('a command that does not exist gives 127, by path and by name', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  for (const command of ['/no/such/command', './no-such-command', 'no-such-command', '/etc/passwd/x']) {
    assertFails(
      await bootInNamespace(machine, { args: plain(command) }),
      127,
      /command.*: E(NOENT|NOTDIR) \(/,
    );
  }
});

namespaceTest('a command that exists and cannot be executed gives 126', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  writeFileSync(machine.path('/usable'), 'neither an ELF program nor a script\n', { mode: 0o755 });
  chmodSync(machine.path('/usable'), 0o755);
  assertFails(await bootInNamespace(machine, { args: plain('/etc/passwd') }), 126, /\/etc\/passwd: EACCES/);
  assertFails(await bootInNamespace(machine, { args: plain('/etc') }), 126, /\/etc: EACCES/);
  assertFails(await bootInNamespace(machine, { args: plain('/usable') }), 126, /\/usable: ENOEXEC/);
});

namespaceTest(
  'a command that cannot start leaves nothing mounted on the overlay strategy either',
  async () => {
    await using machine = await makeMachine();
    const before = machine.mounts();
    const args = ['--strategy', 'overlay', '--daemon-enabled', 'no', '--', '/no/such/command'];
    assertFails(await bootInNamespace(machine, { shared: true, args }), 127, /ENOENT/);
    assert.deepEqual(machine.mounts(), before);
  },
);
