import assert from 'node:assert/strict';
import { containerTest } from '../harness/containerTest.ts';
import { docker, dockerOk } from '../harness/docker.ts';
import { makeFlakeMachine } from '../harness/flake.ts';

containerTest('an image that Nix has wrapped boots with its own command and our settings', async () => {
  await using ground = await makeFlakeMachine('trixie');
  const archive = await ground.run('nix-build /cases/image.nix -A image --no-out-link');
  const image = 'nix-cache-init-test-flake:latest';
  try {
    await dockerOk('load', '--input', ground.machine.path(archive));
    const [{ Config: config }] = JSON.parse(await dockerOk('image', 'inspect', image));
    assert.deepEqual(config.Entrypoint, ['/init']);
    assert.deepEqual(config.Cmd, ['nix-cache-init', 'config', '--json']);
    assert.equal(config.StopSignal, 'SIGTERM');
    const effective = JSON.parse(await dockerOk('run', '--rm', '--network', 'none', image));
    assert.deepEqual(effective.strategy, {
      value: 'none',
      origin: 'file /etc/nix-cache-init/config.json',
    });
  } finally {
    await docker('image', 'rm', '--force', image);
  }
});
