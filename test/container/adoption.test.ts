import assert from 'node:assert/strict';
import { startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { assertNothingBuilt, assertStoreIsSound, build, builtPath } from '../harness/nix.ts';
import { startRecipe } from '../harness/recipe.ts';
import { makeVolume } from '../harness/volume.ts';

containerTest('a volume made by the shell recipe is adopted as found', async () => {
  await using volume = await makeVolume();
  let path: string;
  {
    await using before = await startRecipe({ volume: volume.name });
    path = builtPath(await before.exec(build('c')));
  }

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
