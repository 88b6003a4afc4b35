import assert from 'node:assert/strict';
import { boot } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { assertOneWarning, assertQuiet } from '../harness/failureLine.ts';
import { nixImage } from '../harness/images.ts';
import { bare, makeVolume } from '../harness/volume.ts';

const mounts = ['cat', '/proc/mounts'];

containerTest('without a volume: one line says that nothing will be kept, and the command runs', async () => {
  const result = await boot({ command: ['sh', '-c', 'echo ran; exit 3'] });
  assert.equal(result.stdout, 'ran');
  assert.equal(result.exitCode, 3);
  assertOneWarning(result, /nothing will be kept/);
});

containerTest(
  'without SYS_ADMIN: one warning, nothing mounted, a binary cache instead, and the command runs',
  async () => {
    await using volume = await makeVolume();
    const result = await boot({ volume: volume.name, grant: 'nothing', command: mounts });
    assert.equal(result.exitCode, 0, result.stderr);
    assertOneWarning(result, /SYS_ADMIN.*going on with strategy substituter"/);
    assert.doesNotMatch(result.stdout, / \/nix\/(store|var\/nix) /);
  },
);

containerTest(
  'a volume without extended attributes: one warning, a binary cache instead, and the command runs',
  async () => {
    await using volume = await makeVolume('-o', 'type=ramfs', '-o', 'device=ramfs');
    const result = await boot({ volume: volume.name, command: mounts });
    assert.equal(result.exitCode, 0, result.stderr);
    assertOneWarning(result, /has no trusted xattrs.*: E\w+ \(.*going on with strategy substituter"/);
    assert.doesNotMatch(result.stdout, / \/nix\/(store|var\/nix) /);
  },
);

containerTest('a read-only volume: one warning, nothing mounted, and the command runs', async () => {
  await using volume = await makeVolume();
  const result = await boot({ flags: ['-v', `${volume.name}:/nix-cache:ro`], command: mounts });
  assert.equal(result.exitCode, 0, result.stderr);
  assertOneWarning(result, /EROFS.*going on with strategy none, nothing will be kept/);
  assert.doesNotMatch(result.stdout, / \/nix\/(store|var\/nix) /);
});

containerTest('strategy none needs no privilege, no volume and says nothing', async () => {
  const flags = ['--cap-drop', 'ALL', '--user', '1000:1000', '--read-only'];
  const result = await boot({
    grant: 'nothing',
    flags,
    env: { NIX_CACHE_INIT_STRATEGY: 'none' },
    command: ['id', '-u'],
  });
  assert.equal(result.stdout, '1000', result.stderr);
  assert.equal(result.exitCode, 0);
  assertQuiet(result);
});

containerTest('a read-only root file system with a writable /run and /tmp is enough', async () => {
  await using volume = await makeVolume();
  const flags = ['--read-only', '--tmpfs', '/run', '--tmpfs', '/tmp'];
  const command = ['sh', '-c', 'HOME=/tmp nix-build /packages.nix -A c --no-out-link'];
  const built = await boot({ volume: volume.name, flags, command });
  assert.equal(built.exitCode, 0, built.stderr);
  const again = await boot({ volume: volume.name, flags, command });
  assert.equal(again.stdout, built.stdout, again.stderr);
});

containerTest(
  'a read-only root file system with nothing writable works, or fails with the documented line',
  async () => {
    await using volume = await makeVolume();
    const result = await boot({ volume: volume.name, flags: ['--read-only'], command: ['echo', 'ran'] });
    if (result.exitCode === 0) assert.equal(result.stdout, 'ran');
    else assert.match(result.stderr, /^nix-cache-init: [^:]+: .+: E[A-Z]+ \(.+\)$/m);
  },
);

containerTest('after a boot the volume is laid out as documented', async () => {
  await using volume = await makeVolume();
  const result = await boot({ volume: volume.name, command: ['true'] });
  assert.equal(result.exitCode, 0, result.stderr);
  assertQuiet(result);
  const places = [
    'upper',
    'workdir',
    'var/nix/db/db.sqlite',
    'var/nix/profiles',
    '.nix-cache-init/manifest.json',
  ];
  for (const place of places) {
    const found = await volume.shell(`ls -d /nix-cache/${place}`);
    assert.equal(found.exitCode, 0, `${place}: ${found.stderr}`);
  }
  const manifest = await bare(
    await nixImage(),
    ['cat', '/v/.nix-cache-init/manifest.json'],
    '-v',
    `${volume.name}:/v`,
  );
  assert.equal(typeof JSON.parse(manifest.stdout), 'object');
});
