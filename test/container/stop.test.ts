import assert from 'node:assert/strict';
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

containerTest('a grandchild that needs a moment to finish gets it, one that refuses is killed', async () => {
  await using volume = await makeVolume();
  const slow = "(trap 'sleep 2; echo finished; exit' TERM; echo up; while :; do sleep 0.1; done) &";
  const deaf = "(trap '' TERM; while :; do sleep 0.1; done) &";
  const command = ['sh', '-c', `${slow} ${deaf} sleep infinity`];
  await using container = await startContainer({ volume: volume.name, command });
  await container.waitForLog(/^up$/m);
  await docker('stop', '--time', '60', container.name);
  assert.equal(await container.waitForEnd(), 143);
  assert.match(allOutput(await container.logs()), /^finished$/m);
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
