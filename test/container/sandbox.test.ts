import assert from 'node:assert/strict';
import { idle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { docker } from '../harness/docker.ts';
import { assertBuilt, assertNothingBuilt, assertStoreIsSound, build } from '../harness/nix.ts';
import { startSandboxed } from '../harness/sandbox.ts';
import { makeVolume } from '../harness/volume.ts';

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
    const container = await startSandboxed({ volume: volume.name, command: idle });
    await container.waitForLog(/^ready$/m);
    return container;
  }
});
