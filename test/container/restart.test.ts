import assert from 'node:assert/strict';
import { type Container, startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { docker, dockerOk } from '../harness/docker.ts';
import { assertNothingBuilt, assertStoreIsSound, build, builtPath } from '../harness/nix.ts';
import { makeVolume } from '../harness/volume.ts';

// The same container again, not a new one: what the last boot left in its root file system is still there.
for (const [how, end] of [
  ['stopped', ['stop']],
  ['killed', ['kill', '-s', 'KILL']],
] as const) {
  containerTest(`a container that was ${how} can be started again, and again`, async () => {
    await using volume = await makeVolume();
    await using container = await startIdle({ volume: volume.name });
    const path = builtPath(await container.exec(build('c')));
    for (const expected of [2, 3]) {
      await docker(...end, container.name);
      await container.waitForEnd();
      await dockerOk('start', container.name);
      await waitForBoot(container, expected);
      assert.equal(assertNothingBuilt(await container.exec(build('c'))), path);
      assert.equal(assertNothingBuilt(await container.exec(build('c'), '--user', 'alice')), path);
      await assertStoreIsSound(container);
    }
  });
}

containerTest('a container without a volume can be started again too', async () => {
  await using container = await startIdle();
  await docker('stop', container.name);
  await dockerOk('start', container.name);
  await waitForBoot(container, 2);
  builtPath(await container.exec(build('c')));
});

async function waitForBoot(container: Container, count: number): Promise<void> {
  await container.waitForLog(new RegExp(`(^ready$[^]*){${count}}`, 'm'));
}
