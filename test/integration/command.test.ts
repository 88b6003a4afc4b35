import assert from 'node:assert/strict';
import { assertFails } from '../harness/failureLine.ts';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';

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
