import assert from 'node:assert/strict';
import { boot } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { docker, dockerOk, uniqueName } from '../harness/docker.ts';
import { debianImage, nixImage, storeImage } from '../harness/images.ts';
import { assertNothingBuilt, build, builtPath } from '../harness/nix.ts';
import { repository } from '../harness/paths.ts';
import { muslImage, scratchImage } from '../harness/smallImages.ts';
import { makeVolume } from '../harness/volume.ts';

containerTest('the build runs on an image FROM scratch', async () => {
  const result = await boot({ image: await scratchImage(), command: ['/bin/busybox', 'true'] });
  assert.equal(result.exitCode, 0, result.stderr);
});

containerTest('the build runs where musl is the C library', async () => {
  const image = await muslImage();
  const result = await boot({ image, command: ['/bin/busybox', 'sh', '-c', 'exec /lib/ld-musl-*'] });
  assert.match(result.stderr, /musl libc/);
  assert.equal(result.exitCode, 1);
});

containerTest('the build runs on a Debian without any Nix store', async () => {
  const result = await boot({ image: await debianImage(), command: ['cat', '/etc/debian_version'] });
  assert.equal(result.exitCode, 0, result.stderr);
  assert.match(result.stdout, /^\d+/);
});

containerTest('none of our files stands in the way of the image', async () => {
  const before = await dockerOk(
    'run',
    '--rm',
    '--network',
    'none',
    await storeImage('trixie'),
    'ls',
    '/',
    '/etc',
  );
  const command = ['ls', '/', '/etc'];
  const after = await dockerOk(
    'run',
    '--rm',
    '--network',
    'none',
    '--entrypoint',
    '',
    await nixImage(),
    ...command,
  );
  for (const name of before.split('\n')) assert.ok(after.split('\n').includes(name), name);
});

containerTest('the Dockerfile makes an image of any base: entry point, stop signal, no volume', async () => {
  const tag = `nix-cache-init-test/dockerfile:${uniqueName('image')}`;
  try {
    const base = await storeImage('trixie');
    await dockerOk('build', '--build-arg', `BASE=${base}`, '--target', 'prebuilt', '-t', tag, repository);
    const [config] = JSON.parse(await dockerOk('image', 'inspect', tag)) as [
      { Config: Record<string, unknown> },
    ];
    assert.deepEqual(config.Config['Entrypoint'], ['/init']);
    assert.equal(config.Config['StopSignal'], 'SIGTERM');
    assert.ok(!config.Config['Volumes'], 'anonymous volumes lose the cache silently');

    await using volume = await makeVolume();
    const path = builtPath(await boot({ image: tag, volume: volume.name, command: build('c') }));
    assert.equal(
      assertNothingBuilt(await boot({ image: tag, volume: volume.name, command: build('c') })),
      path,
    );
  } finally {
    await docker('image', 'rm', '-f', tag);
  }
});
