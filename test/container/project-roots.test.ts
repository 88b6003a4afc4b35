import assert from 'node:assert/strict';
import { execOk } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { validOf } from '../harness/nix.ts';
import { upgradeGround } from '../harness/upgradeGround.ts';
import { makeVolume } from '../harness/volume.ts';

containerTest(
  'what a project has built is kept over an upgrade while the project is not mounted',
  async () => {
    await using ground = await upgradeGround('trixie');
    await using project = await makeVolume();
    const mounted = { flags: ['-v', `${project.name}:/project`] };
    const result = '/project/result';
    let path: string;
    {
      await using a = await ground.start('A', mounted);
      await execOk(a, 'nix-build', '/packages.nix', '-A', 'e', '--out-link', result);
      path = await execOk(a, 'readlink', result);
    }
    {
      await using without = await ground.start('B');
      await execOk(without, 'nix-collect-garbage');
      assert.deepEqual(
        await validOf(without, [path]),
        [path],
        'collected merely because the mount is missing',
      );
    }
    await using again = await ground.start('B', mounted);
    await execOk(again, 'nix-collect-garbage');
    await execOk(again, 'realpath', '-e', result);
    // But a link that its owner removed roots nothing any more.
    await execOk(again, 'rm', result);
    await execOk(again, 'nix-collect-garbage');
    assert.deepEqual(await validOf(again, [path]), []);
  },
);
