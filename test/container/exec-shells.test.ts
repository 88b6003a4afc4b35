import assert from 'node:assert/strict';
import { startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { assertBuilt, assertNothingBuilt, build, builtPath } from '../harness/nix.ts';
import { makeVolume } from '../harness/volume.ts';

containerTest('`docker exec` shells see the overlay and can build, as root and as a user', async () => {
  await using volume = await makeVolume();
  await using container = await startIdle({ volume: volume.name });

  const mounts = await container.exec(['cat', '/proc/mounts']);
  assert.match(mounts.stdout, /^\S+ \/nix\/store overlay /m);

  const byRoot = assertBuilt(await container.exec(build('c')), 'c');
  const byUser = assertBuilt(await container.exec(build('d'), '--user', 'alice'), 'd');
  const read = await container.exec(['cat', `${byUser}/c`], '--user', 'alice');
  assert.equal(read.stdout.trim(), byRoot);
  assertNothingBuilt(await container.exec(build('d')));
});

containerTest('a login shell and a bare one both reach the daemon', async () => {
  await using volume = await makeVolume();
  await using container = await startIdle({ volume: volume.name });
  const command = build('e').join(' ');
  const login = builtPath(await container.exec(['bash', '-lc', command], '--user', 'alice'));
  const bare = await container.exec(['env', '-i', 'PATH=/usr/bin:/bin', ...build('e')], '--user', 'alice');
  assert.equal(builtPath(bare), login);
});

containerTest('what a user may not do, the store of the container refuses too', async () => {
  await using volume = await makeVolume();
  await using container = await startIdle({ volume: volume.name });
  const result = await container.exec(['touch', '/nix/store/intruder'], '--user', 'alice');
  assert.notEqual(result.exitCode, 0);
});
