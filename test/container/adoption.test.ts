import assert from 'node:assert/strict';
import { startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { nixImage } from '../harness/images.ts';
import { assertNothingBuilt, assertStoreIsSound, build, builtPath } from '../harness/nix.ts';
import { bare, makeVolume } from '../harness/volume.ts';

/** The shell recipe that this program replaces, as people have it in their entry points. */
const recipe = `
mkdir -p /nix-cache/upper /nix-cache/workdir /nix-cache/var
[ -e /nix-cache/var/nix ] || cp -a /nix/var/nix /nix-cache/var/nix
busybox mount -t overlay overlay -o lowerdir=/nix/store,upperdir=/nix-cache/upper,workdir=/nix-cache/workdir /nix/store
busybox mount --bind /nix-cache/var/nix /nix/var/nix
nix-build /packages.nix -A c --no-out-link
`;

containerTest('a volume made by the shell recipe is adopted as found', async () => {
  await using volume = await makeVolume();
  const privileged = ['--cap-add', 'SYS_ADMIN', '--security-opt', 'apparmor=unconfined'];
  const mounted = [...privileged, '-v', `${volume.name}:/nix-cache`];
  const path = builtPath(await bare(await nixImage(), ['sh', '-euc', recipe], ...mounted));

  for (const boot of ['first', 'second']) {
    await using container = await startIdle({ volume: volume.name });
    assert.equal(assertNothingBuilt(await container.exec(build('c'))), path, boot);
    assert.equal(assertNothingBuilt(await container.exec(build('c'), '--user', 'alice')), path, boot);
    await assertStoreIsSound(container);
  }
  const kept = await volume.shell('ls -A /nix-cache');
  for (const name of ['upper', 'workdir', 'var', '.nix-cache-init'])
    assert.ok(kept.stdout.split('\n').includes(name), name);
});
