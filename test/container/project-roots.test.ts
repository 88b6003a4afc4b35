import assert from 'node:assert/strict';
import type { Suite } from '../harness/base.ts';
import { type Boot, type Container, startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { nixImage } from '../harness/images.ts';
import { assertStoreIsSound } from '../harness/nix.ts';
import { makeVolume } from '../harness/volume.ts';

const suites: Suite[] = ['bookworm', 'trixie', 'forky'];

for (const suite of suites) {
  containerTest(
    `${suite}: what projects have built survives collections while they are not mounted`,
    async () => {
      await using volume = await makeVolume();
      await using here = await makeVolume();
      await using there = await makeVolume();
      const image = await nixImage(suite);
      const start = (project?: { name: string }): Promise<Container> => {
        const flags = project === undefined ? [] : ['-v', `${project.name}:/work`];
        return startIdle({ image, volume: volume.name, flags } satisfies Partial<Boot>);
      };
      const built: string[] = [];
      for (const [project, attribute] of [
        [here, 'c'],
        [there, 'e'],
      ] as const) {
        await using container = await start(project);
        await ok(container, `nix-build /packages.nix -A ${attribute} -o /work/result`);
        built.push(await ok(container, 'readlink /work/result'));
      }
      const [c = '', e = ''] = built;
      assert.notEqual(c, e);
      for (const mounted of [undefined, here, undefined, there]) {
        await using container = await start(mounted);
        await ok(container, 'nix-collect-garbage -d');
        assert.equal(await ok(container, `nix-store --check-validity ${c} ${e} && echo valid`), 'valid');
        await assertStoreIsSound(container);
      }
      {
        await using container = await start(here);
        await ok(container, 'rm /work/result; nix-collect-garbage');
        assert.equal(
          await ok(container, `nix-store --check-validity ${c} 2>/dev/null || echo collected`),
          'collected',
        );
        assert.equal(await ok(container, `nix-store --check-validity ${e} && echo valid`), 'valid');
      }
      await using container = await start(there);
      assert.match(await ok(container, 'nix-store --gc --print-roots'), /^"?\/work\/result"? -> /m);
    },
  );
}

async function ok(container: Container, script: string): Promise<string> {
  const outcome = await container.exec(['sh', '-euc', script]);
  assert.equal(outcome.exitCode, 0, `${script}: ${outcome.stderr}`);
  return outcome.stdout.trim();
}
