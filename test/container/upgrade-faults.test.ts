import assert from 'node:assert/strict';
import { suites } from '../harness/base.ts';
import { startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { assertStoreIsSound, buildAll } from '../harness/nix.ts';
import { startRecipe } from '../harness/recipe.ts';
import { upgradeFaults } from '../harness/upgradeFaults.ts';
import { upgradeImage } from '../harness/upgradeImages.ts';
import { whiteouts } from '../harness/upper.ts';
import { makeVolume } from '../harness/volume.ts';

for (const suite of suites) {
  containerTest(
    `${suite}: an image upgrade under the shell recipe has its three faults; init heals them`,
    async () => {
      await using volume = await makeVolume();
      const { rebuilt, dangling, hidden } = await upgradeFaults(suite, volume, startRecipe);
      assert.deepEqual(rebuilt, ['new']);
      assert.ok(dangling.includes('old'), `dangling: ${dangling}`);
      assert.ok(hidden.includes('new') && hidden.includes('c'), `hidden: ${hidden}`);

      await using b = await startIdle({ image: await upgradeImage(suite, 'B'), volume: volume.name });
      await assertStoreIsSound(b);
      assert.deepEqual(await whiteouts(b), []);
      assert.deepEqual((await buildAll(b, 'new', 'c')).built, []);
    },
  );

  containerTest(`${suite}: the same upgrade under init has none of them`, async () => {
    await using volume = await makeVolume();
    const faults = await upgradeFaults(suite, volume, startIdle);
    assert.deepEqual(faults, { rebuilt: [], dangling: [], hidden: [] });
  });
}
