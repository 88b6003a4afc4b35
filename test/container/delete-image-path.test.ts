import assert from 'node:assert/strict';
import { suites } from '../harness/base.ts';
import { execOk } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { imageRows, volumeRows } from '../harness/databaseRows.ts';
import { buildAll, validOf } from '../harness/nix.ts';
import { type Ground, upgradeGround } from '../harness/upgradeGround.ts';
import { upgradeImage } from '../harness/upgradeImages.ts';

for (const suite of suites) {
  containerTest(`${suite}: a path of the image is not deleted, or is back at the next boot`, async () => {
    await using ground = await upgradeGround(suite);
    const c = await pathOfC(ground);
    {
      // Nothing of the image itself roots it.
      await using b = await ground.start('B');
      const refused = await b.exec(['nix-store', '--delete', c]);
      assert.notEqual(refused.exitCode, 0, refused.stdout);
      assert.match(refused.stderr, /alive/);
      await execOk(b, 'nix-store', '--delete', '--ignore-liveness', c);
      assert.deepEqual(await validOf(b, [c]), []);
    }
    await using b = await ground.start('B');
    await ground.assertOfImage(b, 'B', c);
    const rows = await imageRows(await upgradeImage(suite, 'B'));
    assert.deepEqual((await volumeRows(b))[c], rows[c]);
  });
}

containerTest('what root did to the files of the image is undone at the next boot', async () => {
  await using ground = await upgradeGround('trixie');
  const c = await pathOfC(ground);
  // The second time nothing is to be done, and that is remembered.
  const deeds = [`rm ${c}/unique`, 'true', `echo changed > ${c}/b`, `rm -r ${c}`];
  for (const deed of deeds) {
    await using b = await ground.start('B');
    await ground.assertOfImage(b, 'B', c);
    await execOk(b, 'sh', '-euc', deed);
  }
  await using b = await ground.start('B');
  await ground.assertOfImage(b, 'B', c);
});

async function pathOfC(ground: Ground): Promise<string> {
  await using b = await ground.start('B');
  return (await buildAll(b, 'c')).paths.c;
}
