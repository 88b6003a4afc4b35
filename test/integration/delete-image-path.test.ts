import assert from 'node:assert/strict';
import { suites } from '../harness/base.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { readValidPaths } from '../harness/nixDatabase.ts';
import { makeUpgradeMachine } from '../harness/upgradeMachine.ts';

for (const suite of suites) {
  namespaceTest(`${suite}: a path of the image is not deleted, or is back at the next boot`, async () => {
    await using ground = await makeUpgradeMachine(suite);
    const c = await ground.run('B', 'there c');
    // Nothing of the image itself roots it.
    const refused = await ground.run(
      'B',
      `if nix-store --delete ${c} 2>&1; then exit 1; fi
       nix-store --delete --ignore-liveness ${c} >/dev/null
       invalid ${c}`,
    );
    assert.match(refused, /alive/);
    await ground.run('B', `of_image B ${c}`);
    const rowIn = (state: string) => readValidPaths(ground.nix.machine.path(state)).get(c);
    assert.ok(rowIn('/images/B/var/nix'));
    assert.deepEqual(rowIn('/nix-cache/var/nix'), rowIn('/images/B/var/nix'));
  });
}

namespaceTest('what root did to the files of the image is undone at the next boot', async () => {
  await using ground = await makeUpgradeMachine('trixie');
  const c = await ground.run('B', 'there c');
  // The second time nothing is to be done, and that is remembered.
  const deeds = [`rm ${c}/unique`, 'true', `echo changed > ${c}/b`, `rm -r ${c}`, 'true'];
  for (const deed of deeds) await ground.run('B', `of_image B ${c}; ${deed}`);
});
