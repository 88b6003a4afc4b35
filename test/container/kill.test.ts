import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { startContainer, startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { docker } from '../harness/docker.ts';
import { assertNothingBuilt, assertStoreIsSound, build, builtPath } from '../harness/nix.ts';
import { makeVolume } from '../harness/volume.ts';

containerTest('killed at any moment of the first boot, the next one works', async () => {
  await using volume = await makeVolume();
  for (const milliseconds of [0, 40, 80, 120, 160, 200, 250, 300, 400, 600]) {
    await volume.shell('find /nix-cache -mindepth 1 -delete');
    {
      await using first = await startContainer({ volume: volume.name, command: ['sleep', 'infinity'] });
      await sleep(milliseconds);
      await docker('kill', '-s', 'KILL', first.name);
      assert.equal(await first.waitForEnd(), 137);
    }
    await using second = await startIdle({ volume: volume.name });
    builtPath(await second.exec(build('c')));
    await assertStoreIsSound(second);
  }
});

containerTest(
  'killed in the middle of builds, what was finished stays and the rest can be built',
  async () => {
    await using volume = await makeVolume();
    let finished = '';
    for (const milliseconds of [0, 150, 300]) {
      await using container = await startIdle({ volume: volume.name });
      if (finished === '') finished = builtPath(await container.exec(build('c')));
      assert.equal(assertNothingBuilt(await container.exec(build('c'))), finished);
      const interrupted = container.exec(['sh', '-c', `${build('d').join(' ')}; ${build('e').join(' ')}`]);
      await sleep(milliseconds);
      await docker('kill', '-s', 'KILL', container.name);
      await interrupted;
    }
    await using last = await startIdle({ volume: volume.name });
    for (const name of ['c', 'd', 'e']) builtPath(await last.exec(build(name)));
    await assertStoreIsSound(last);
  },
);
