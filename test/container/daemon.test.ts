import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { boot, startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { greet } from '../harness/greeting.ts';
import { inLanes } from '../harness/lanes.ts';
import { build, builtPath, nixProcesses } from '../harness/nix.ts';
import { makeVolume } from '../harness/volume.ts';

containerTest('a main command that connects to the daemon at once is answered', async () => {
  // On a new volume and on a used one, two containers at a time; daemon-at-once.test.ts has the many boots.
  await inLanes(2, [1, 2], async () => {
    await using volume = await makeVolume();
    for (let count = 0; count < 2; count += 1) {
      const result = await boot({ volume: volume.name, command: ['perl', '-e', greet] });
      assert.equal(result.stdout, 'answered', result.stderr);
    }
  });
});

containerTest('a nix-daemon that is killed comes back, and its socket never went away', async () => {
  await using volume = await makeVolume();
  await using container = await startIdle({ volume: volume.name });
  builtPath(await container.exec(build('c'), '--user', 'alice'));
  const first = await nixProcesses(container);
  assert.notEqual(first.length, 0, 'a daemon runs');

  await container.exec(['sh', '-c', `kill -KILL ${first.join(' ')}`]);
  const greeting = await container.exec(['perl', '-e', greet]);
  assert.equal(greeting.stdout, 'answered', greeting.stderr);
  builtPath(await container.exec(build('d'), '--user', 'alice'));
  const second = await nixProcesses(container);
  assert.ok(second.length > 0 && !second.some((pid) => first.includes(pid)), `${first} became ${second}`);
  assert.equal((await container.exec(['true'])).exitCode, 0);
});

containerTest('a daemon that cannot run is no reason to end the main command', async () => {
  await using volume = await makeVolume();
  const command = ['sh', '-c', 'sleep 2; echo still here; exit 4'];
  const flags = ['-v', '/dev/null:/usr/bin/nix-daemon:ro'];
  const result = await boot({ volume: volume.name, command, flags });
  assert.equal(result.exitCode, 4, result.stderr);
  assert.match(result.stdout, /still here/);
});

containerTest('nothing of ours spins when there is nothing to do', async () => {
  await using volume = await makeVolume();
  await using container = await startIdle({ volume: volume.name });
  const ticks = async (): Promise<number> => {
    const stat = (await container.exec(['cat', '/proc/1/stat'])).stdout.split(') ')[1]?.split(' ') ?? [];
    return Number(stat[11]) + Number(stat[12]);
  };
  await sleep(2000);
  const before = await ticks();
  await sleep(5000);
  // Ticks are 10 ms; `docker exec` itself may cost one.
  assert.ok((await ticks()) - before <= 3, 'init used the processor while idle');
});
