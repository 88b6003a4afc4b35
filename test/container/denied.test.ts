import assert from 'node:assert/strict';
import { join } from 'node:path';
import { boot } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { assertFails, assertOneWarning } from '../harness/failureLine.ts';
import { debianImage } from '../harness/images.ts';
import { fixtures } from '../harness/paths.ts';
import { makeVolume } from '../harness/volume.ts';

const strict = { NIX_CACHE_INIT_ON_UNSUPPORTED: 'fail' };
const mounts = ['cat', '/proc/mounts'];

// EACCES from mount(2) although the capability is there is what AppArmor's default profile does.
const denied = ['--security-opt', `seccomp=${join(fixtures, 'deny-mount.json')}`];

containerTest(
  'mounting denied in spite of SYS_ADMIN: one warning that names the flag, and the command runs',
  async () => {
    await using volume = await makeVolume();
    const result = await boot({ volume: volume.name, flags: denied, command: mounts });
    assert.equal(result.exitCode, 0, result.stderr);
    assertOneWarning(result, /apparmor=unconfined.*going on with strategy substituter/);
    assert.doesNotMatch(result.stdout, / \/nix\/(store|var\/nix) /);
  },
);

containerTest('mounting denied and no fallback allowed: 77, EACCES and the flag', async () => {
  await using volume = await makeVolume();
  const result = await boot({ volume: volume.name, flags: denied, env: strict, command: ['echo', 'ran'] });
  assertFails(result, 77, /EACCES \(.*apparmor=unconfined.*\)/);
  assert.equal(result.stdout, '');
});

// The volume is on an overlay itself: made before init, as some hosts have it.
const onOverlay = `
mkdir -p /nix-cache
busybox mount -t tmpfs tmpfs /mnt
mkdir /mnt/lower /mnt/upper /mnt/work
busybox mount -t overlay o -o lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work /nix-cache
exec /init "$@"
`;

containerTest('a volume on overlayfs: one warning, nothing mounted, and the command runs', async () => {
  const flags = ['--entrypoint', 'sh'];
  const before = ['-euc', onOverlay, 'sh'];
  const result = await boot({ flags, before, command: mounts });
  assert.equal(result.exitCode, 0, result.stderr);
  // Which a binary cache does not mind.
  assertOneWarning(result, /overlayfs.*going on with strategy substituter/);
  assert.doesNotMatch(result.stdout, / \/nix\/(store|var\/nix) /);
  const refused = await boot({ flags, before, env: strict, command: ['echo', 'ran'] });
  assertFails(refused, 78, /overlayfs/);
  assert.equal(refused.stdout, '');
});

containerTest('an image without a Nix store: one warning, and the command runs', async () => {
  await using volume = await makeVolume();
  const image = await debianImage();
  const result = await boot({ image, volume: volume.name, command: ['echo', 'ran'] });
  assert.equal(result.stdout, 'ran', result.stderr);
  assertOneWarning(result, /\/nix\/store.*going on with strategy none, nothing will be kept/);
  const refused = await boot({ image, volume: volume.name, env: strict, command: ['echo', 'ran'] });
  assertFails(refused, 78, /\/nix\/store.*ENOENT/);
});
