import assert from 'node:assert/strict';
import { suites } from '../harness/base.ts';
import { containerTest } from '../harness/containerTest.ts';
import { buildAll } from '../harness/nix.ts';
import { upgradeGround } from '../harness/upgradeGround.ts';

const enabled = { env: { NIX_CONFIG: 'extra-experimental-features = ca-derivations' } };

for (const suite of suites) {
  containerTest(
    `${suite}: a content-addressed output that a user built is found after an upgrade`,
    async () => {
      await using ground = await upgradeGround(suite);
      let path: string;
      {
        await using a = await ground.start('A', enabled);
        path = (await buildAll(a, 'addressed')).paths.addressed;
      }
      // This one ships another output of the same derivation.
      await using c = await ground.start('C', enabled);
      const { built, paths } = await buildAll(c, 'addressed');
      assert.deepEqual([built, paths.addressed], [[], path]);
    },
  );

  containerTest(`${suite}: one of the image is found in a volume that had none before`, async () => {
    await using ground = await upgradeGround(suite);
    {
      await using _a = await ground.start('A');
    }
    await using c = await ground.start('C', enabled);
    const { built, paths } = await buildAll(c, 'addressed');
    assert.deepEqual(built, []);
    await ground.assertOfImage(c, 'C', paths.addressed);
  });
}
