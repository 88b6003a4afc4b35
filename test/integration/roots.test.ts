import { suites } from '../harness/base.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { makeUpgradeMachine } from '../harness/upgradeMachine.ts';

const profiles = '/nix/var/nix/profiles';
const byHand = '/nix/var/nix/gcroots/by-hand';

for (const suite of suites) {
  namespaceTest(
    `${suite}: what users root stays, over garbage collections, restarts and upgrades`,
    async () => {
      await using ground = await makeUpgradeMachine(suite);
      // The second as `nix develop --profile` does it.
      await ground.run(
        'A',
        `set -- $(paths c d e)
         ln -s $1 ${byHand}
         nix-env --profile ${profiles}/mine --set $2
         nix build --no-link --file /packages.nix e --profile ${profiles}/shell`,
      );
      for (const image of ['A', 'B'] as const)
        await ground.run(
          image,
          `nix-collect-garbage
           there c d e
           for link in ${profiles}/mine ${profiles}/shell ${byHand}; do realpath -e $link; done`,
        );
    },
  );
}
