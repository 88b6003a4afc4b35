import assert from 'node:assert/strict';
import { startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { docker } from '../harness/docker.ts';
import { assertBuilt, assertNothingBuilt, assertStoreIsSound, build } from '../harness/nix.ts';
import { makeVolume } from '../harness/volume.ts';

// Docker masks parts of /proc, and the kernel then refuses the sandbox a /proc of its own.
const flags = ['--security-opt', 'systempaths=unconfined', '--security-opt', 'seccomp=unconfined'];
const settings = [
  'build-users-group = nixbld',
  'sandbox = true',
  'sandbox-fallback = false',
  'sandbox-paths = /bin/busybox',
];
const prepare = [
  'echo nixbld:x:30000:nixbld1,nixbld2 >> /etc/group',
  ...[1, 2].map((n) => `echo nixbld${n}:x:${30000 + n}:30000::/var/empty:/bin/false >> /etc/passwd`),
  ...settings.map((setting) => `echo "${setting}" >> /etc/nix/nix.conf`),
  'chgrp 30000 /nix/store && chmod 1775 /nix/store',
];

containerTest("Nix's own sandbox and build users work over the overlay", async () => {
  await using volume = await makeVolume();
  let path: string;
  {
    await using first = await startPrepared();
    path = assertBuilt(await first.exec(build('c')), 'c');
    assertBuilt(await first.exec(build('d'), '--user', 'alice'), 'd');
    await docker('stop', first.name);
    assert.equal(await first.waitForEnd(), 143);
  }
  await using second = await startPrepared();
  assert.equal(assertNothingBuilt(await second.exec(build('c'), '--user', 'alice')), path);
  assertBuilt(await second.exec(build('e'), '--user', 'alice'), 'e');
  await assertStoreIsSound(second);

  async function startPrepared() {
    // Before init, as an image has it: the daemon reads its configuration when it starts.
    const script = `${prepare.join('; ')}; exec /init "$@"`;
    const entry = ['--entrypoint', 'sh'];
    return await startIdle({
      volume: volume.name,
      flags: [...flags, ...entry],
      before: ['-euc', script, 'sh'],
    });
  }
});
