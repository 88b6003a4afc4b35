import assert from 'node:assert/strict';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';

/** A shell is PID 1, and init a child of it, as under `docker run --init`. */
const under = (before: string, after: string): string => `${before}\n"$@"\ncode=$?\n${after}\nexit $code`;

namespaceTest(
  'where it is not PID 1, the mounts are gone and the lock is free when it has ended',
  async () => {
    await using machine = await makeMachine();
    await fillImage(machine);
    const count = 'grep -c " /nix" /proc/self/mountinfo';
    const outcome = await bootInNamespace(machine, {
      via: under(count, `${count}; flock --nonblock /nix-cache/.nix-cache-init/lock echo free`),
      args: overlay('sh', '-c', `${count} | grep -vx 1 >/dev/null && echo mounted`),
    });
    assert.equal(outcome.stdout, '1\nmounted\n1\nfree\n', outcome.stderr);
  },
);

namespaceTest('what a killed init left mounted is taken down by the next boot', async () => {
  await using machine = await makeMachine();
  await fillImage(machine);
  const killed = '"$@" & sleep 1; kill -KILL $!; wait $!; grep -c " /nix/store " /proc/self/mountinfo';
  const again =
    '/init --strategy=overlay --on-unsupported=fail -- grep -c " /nix/store " /proc/self/mountinfo';
  const outcome = await bootInNamespace(machine, {
    via: `${killed}; ${again}; grep -c " /nix" /proc/self/mountinfo; exit 0`,
    args: overlay('sleep', '60'),
  });
  // The overlay and the image's store set aside; no more of them in the second boot; after it only the volume.
  assert.equal(outcome.stdout, '2\n2\n1\n', outcome.stderr);
});
