import assert from 'node:assert/strict';
import { suites } from '../harness/base.ts';
import { execOk } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { buildAll, validOf } from '../harness/nix.ts';
import { upgradeGround } from '../harness/upgradeGround.ts';
import { makeVolume } from '../harness/volume.ts';

const profiles = '/nix/var/nix/profiles';

for (const suite of suites) {
  containerTest(
    `${suite}: what users root stays, over garbage collections, restarts and upgrades`,
    async () => {
      await using ground = await upgradeGround(suite);
      {
        await using a = await ground.start('A');
        const { paths } = await buildAll(a, 'c', 'd', 'e');
        await execOk(a, 'nix-env', '--profile', `${profiles}/mine`, '--set', paths.d);
        // As `nix develop --profile` does it.
        await execOk(a, 'nix', 'build', '--file', '/packages.nix', 'e', '--profile', `${profiles}/shell`);
        await execOk(a, 'ln', '-s', paths.c, '/nix/var/nix/gcroots/by-hand');
      }
      for (const which of ['A', 'B'] as const) {
        await using container = await ground.start(which);
        await execOk(container, 'nix-collect-garbage');
        assert.deepEqual((await buildAll(container, 'c', 'd', 'e')).built, []);
        for (const link of [`${profiles}/mine`, `${profiles}/shell`, '/nix/var/nix/gcroots/by-hand'])
          await execOk(container, 'realpath', '-e', link);
      }
    },
  );
}

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
