import assert from 'node:assert/strict';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';

const shell = (script: string): string[] => ['sh', '-c', script];

const ways: Record<string, string> = {
  'by itself': 'exit 0',
  'with a daemon left': 'setsid sh -c "sleep 60" & sleep 0.5; exit 0',
  'with a file of the overlay open': 'exec 9</nix/store; setsid sh -c "exec sleep 60" & exit 0',
  'in the store': 'cd /nix/store; setsid sleep 60 & exit 0',
};
for (const [way, script] of Object.entries(ways)) {
  namespaceTest(`after a main command that ended ${way}, nothing is mounted, the volume free`, async () => {
    await using machine = await makeMachine();
    await fillImage(machine);
    const before = machine.mounts();
    for (let boot = 0; boot < 2; boot += 1) {
      const outcome = await bootInNamespace(machine, { shared: true, args: overlay(...shell(script)) });
      assert.equal(outcome.exitCode, 0, outcome.stderr);
      assert.deepEqual(machine.mounts(), before);
    }
  });
}
