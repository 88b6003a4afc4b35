import assert from 'node:assert/strict';
import { suites } from '../harness/base.ts';
import { containerTest } from '../harness/containerTest.ts';
import { type Builds, buildAll, validOf } from '../harness/nix.ts';
import { upgradeGround } from '../harness/upgradeGround.ts';

const used = ['c', 'd', 'e', 'old', 'on-old', 'on-on-old'] as const;

for (const suite of suites) {
  containerTest(
    `${suite}: images take turns on a volume, and nothing is built that need not be`,
    async () => {
      await using ground = await upgradeGround(suite);
      let paths: Builds<(typeof used)[number]>['paths'];
      {
        await using a = await ground.start('A');
        paths = (await buildAll(a, ...used)).paths;
      }
      const all = Object.values(paths);

      // The upgrade, twice: c is the image's now; old is gone, and takes with it what was made of it.
      const upgrade = async (): Promise<void> => {
        await using b = await ground.start('B');
        assert.deepEqual(await validOf(b, all), [paths.c, paths.d, paths.e]);
        assert.deepEqual((await buildAll(b, 'new', 'c', 'd', 'e')).built, []);
        await ground.assertOfImage(b, 'B', paths.c);
      };
      await upgrade();

      // The downgrade: old is back, with all that was made of it; c went with its image, and with it what was made of that.
      {
        await using a = await ground.start('A');
        assert.deepEqual(await validOf(a, all), [paths.e, paths.old, paths['on-old'], paths['on-on-old']]);
        assert.deepEqual((await buildAll(a, 'e', 'old', 'on-on-old')).built, []);
        assert.deepEqual((await buildAll(a, 'd')).built, ['c', 'd']);
      }
      await upgrade();

      // Sideways: the image has d too, made of a c of its own.
      await using c = await ground.start('C');
      assert.deepEqual(await validOf(c, all), [paths.c, paths.d, paths.e]);
      assert.deepEqual((await buildAll(c, 'side', 'c', 'd', 'e')).built, []);
      for (const path of [paths.c, paths.d]) await ground.assertOfImage(c, 'C', path);
    },
  );
}
