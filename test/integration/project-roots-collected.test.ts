import assert from 'node:assert/strict';
import { suites } from '../harness/base.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { makeUpgradeMachine } from '../harness/upgradeMachine.ts';

for (const suite of suites) {
  namespaceTest(
    `${suite}: what projects have built survives collections while they are not mounted`,
    async () => {
      await using ground = await makeUpgradeMachine(suite, ['A']);
      const { machine } = ground.nix;
      /** In a new container with that project at /work, or with none and no such place. */
      const run = async (project: 'here' | 'there' | undefined, script: string): Promise<string> => {
        if (project === undefined) return await ground.run('A', `test ! -e /work\n${script}`);
        await machine.shell(`mkdir -p work projects/${project}; mount --bind projects/${project} work`);
        try {
          return await ground.run('A', script);
        } finally {
          await machine.shell('umount work; rmdir work');
        }
      };
      const build = (name: string): string => `nix-build /packages.nix -A ${name} -o /work/result`;
      const c = await run('here', build('c'));
      const e = await run('there', build('e'));
      assert.notEqual(c, e);
      for (const mounted of [undefined, 'here', undefined, 'there'] as const)
        await run(mounted, `nix-collect-garbage -d; valid ${c} ${e}; sound`);
      await run('here', `rm /work/result; nix-collect-garbage; invalid ${c}; valid ${e}`);
      assert.match(await run('there', 'nix-store --gc --print-roots'), /^"?\/work\/result"? -> /m);
    },
  );
}
