import assert from 'node:assert/strict';
import { boot, startContainer, startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { docker } from '../harness/docker.ts';
import { assertFails } from '../harness/failureLine.ts';
import { makeVolume, tmpfs } from '../harness/volume.ts';

const strict = { NIX_CACHE_INIT_ON_UNSUPPORTED: 'fail' };
const never = ['sh', '-c', 'echo the main command ran'];

containerTest('a volume in use is refused with 75, and free again when its user ends', async () => {
  await using volume = await makeVolume();
  {
    await using first = await startIdle({ volume: volume.name });
    const second = await boot({ volume: volume.name, command: never });
    assertFails(second, 75, /lock|in use/i);
    assert.equal(second.stdout, '');
    await docker('stop', first.name);
  }
  const third = await boot({ volume: volume.name, command: ['true'] });
  assert.equal(third.exitCode, 0, third.stderr);
});

containerTest('a killed container holds no lock', async () => {
  await using volume = await makeVolume();
  {
    await using first = await startIdle({ volume: volume.name });
    await docker('kill', '-s', 'KILL', first.name);
  }
  const second = await boot({ volume: volume.name, command: ['true'] });
  assert.equal(second.exitCode, 0, second.stderr);
});

containerTest('without SYS_ADMIN and without a fallback: 77, and the flag that is missing', async () => {
  await using volume = await makeVolume();
  const result = await boot({ volume: volume.name, grant: 'nothing', env: strict, command: never });
  assertFails(result, 77, /EPERM \(.*SYS_ADMIN.*\)/);
  assert.equal(result.stdout, '');
});

containerTest('an option that is not one is a usage error, 64', async () => {
  const flags = ['--entrypoint', 'nix-cache-init'];
  const result = await boot({ flags, command: ['run', '--no-such-option', '--', 'true'] });
  assert.equal(result.exitCode, 64, result.stderr);
  assert.match(result.stderr, /^nix-cache-init: .*no-such-option/m);
});

containerTest(
  'a volume that is full on the first boot is refused with 74, and is whole once there is room',
  async () => {
    await using volume = await makeVolume(...tmpfs('size=1m'));
    await using holder = await startContainer({
      volume: volume.name,
      flags: ['--entrypoint', 'sleep'],
      command: ['infinity'],
    });
    await holder.exec(['sh', '-c', 'head -c 1m /dev/zero > /nix-cache/ballast']);
    const full = await boot({ volume: volume.name, command: never });
    assertFails(full, 74, /ENOSPC/);
    assert.equal(full.stdout, '');
    await holder.exec(['sh', '-c', 'rm /nix-cache/ballast; busybox mount -o remount,size=256m /nix-cache']);
    const roomy = await boot({
      volume: volume.name,
      command: ['nix-build', '/packages.nix', '-A', 'c', '--no-out-link'],
    });
    assert.equal(roomy.exitCode, 0, roomy.stderr);
  },
);

containerTest('a read-only volume without a fallback is refused, naming EROFS', async () => {
  await using volume = await makeVolume();
  const flags = ['-v', `${volume.name}:/nix-cache:ro`];
  const result = await boot({ flags, env: strict, command: never });
  assertFails(result, result.exitCode === 77 ? 77 : 74, /EROFS/);
  assert.equal(result.stdout, '');
});
