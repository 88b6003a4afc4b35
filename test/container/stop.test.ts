import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { allOutput, startContainer, startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { docker } from '../harness/docker.ts';
import { assertQuiet } from '../harness/failureLine.ts';
import { assertNothingBuilt, assertStoreIsSound, build, builtPath } from '../harness/nix.ts';
import { makeVolume } from '../harness/volume.ts';

containerTest(
  '`docker stop` ends it with 143 long before the grace period, and the next boot is clean',
  async () => {
    await using volume = await makeVolume();
    {
      await using first = await startIdle({ volume: volume.name });
      builtPath(await first.exec(build('c')));
      const started = performance.now();
      await docker('stop', first.name);
      const seconds = (performance.now() - started) / 1000;
      assert.equal(await first.waitForEnd(), 143);
      assert.ok(seconds < 5, `took ${seconds.toFixed(1)} s`);
      assertQuiet(await first.logs());
    }
    await using second = await startIdle({ volume: volume.name });
    assertNothingBuilt(await second.exec(build('c')));
    assertQuiet(await second.logs());
    await assertStoreIsSound(second);
  },
);

containerTest('the daemon is stopped last: a main command that tidies up can still ask it', async () => {
  await using volume = await makeVolume();
  const tidy = "trap 'nix path-info --store daemon /nix/var/nix/gcroots/w && echo asked; exit 3' TERM";
  const command = ['sh', '-c', `${tidy}; echo ready; while :; do sleep 0.1; done`];
  await using container = await startContainer({ volume: volume.name, command });
  await container.waitForLog(/^ready$/m);
  await docker('stop', container.name);
  assert.equal(await container.waitForEnd(), 3);
  assert.match(allOutput(await container.logs()), /^asked$/m);
});

containerTest('a stop signal of another kind arrives as it was sent', async () => {
  const command = ['sh', '-c', "trap 'exit 9' USR1; echo ready; while :; do sleep 0.1; done"];
  await using container = await startContainer({
    grant: 'nothing',
    command,
    flags: ['--stop-signal', 'USR1'],
  });
  await container.waitForLog(/^ready$/m);
  await docker('stop', container.name);
  assert.equal(await container.waitForEnd(), 9);
});

containerTest('asked to stop during the first boot, it ends at once and the next one works', async () => {
  for (const milliseconds of [0, 60, 120, 200]) {
    await using volume = await makeVolume();
    {
      await using first = await startContainer({ volume: volume.name, command: ['sleep', '300'] });
      await sleep(milliseconds);
      await docker('kill', '-s', 'TERM', first.name);
      assert.equal(await first.waitForEnd(), 143);
    }
    await using second = await startIdle({ volume: volume.name });
    builtPath(await second.exec(build('c')));
    await assertStoreIsSound(second);
  }
});
