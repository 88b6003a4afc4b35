import assert from 'node:assert/strict';
import { suites } from '../harness/base.ts';
import { startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { startRecipe } from '../harness/recipe.ts';
import { upgradeFaults } from '../harness/upgradeFaults.ts';

for (const suite of suites) {
  containerTest(`${suite}: an image upgrade under the shell recipe has its three faults`, async () => {
    const { rebuilt, dangling, hidden } = await upgradeFaults(suite, startRecipe);
    assert.deepEqual(rebuilt, ['new']);
    assert.ok(dangling.includes('old'), `dangling: ${dangling}`);
    assert.ok(hidden.includes('new') && hidden.includes('c'), `hidden: ${hidden}`);
  });

  containerTest(`${suite}: the same upgrade under init has none of them`, async () => {
    const faults = await upgradeFaults(suite, startIdle);
    assert.deepEqual(faults, { rebuilt: [], dangling: [], hidden: [] });
  });
}
