import assert from 'node:assert/strict';
import { suites } from '../harness/base.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { beginAnew, fillImage } from '../harness/nixMachine.ts';
import { makeUpgradeMachine } from '../harness/upgradeMachine.ts';

const enabled = { NIX_CONFIG: 'extra-experimental-features = ca-derivations' };

for (const suite of suites) {
  namespaceTest(
    `${suite}: a content-addressed output that a user built is found after an upgrade, and an image’s in a volume that had none`,
    async () => {
      await using ground = await makeUpgradeMachine(suite, ['A', 'C']);
      await fillImage(ground.nix.machine, 'C', ['sh', '/fill-store.sh', 'addressed'], enabled);

      const mine = await ground.run('A', 'paths addressed', enabled);
      // This one ships another output of the same derivation.
      assert.equal(await ground.run('C', 'there addressed', enabled), mine);

      await beginAnew(ground.nix);
      await ground.run('A', 'true');
      const found = await ground.run('C', 'path=$(there addressed); of_image C $path; echo $path', enabled);
      assert.notEqual(found, mine);
    },
  );
}
