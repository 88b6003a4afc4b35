import assert from 'node:assert/strict';
import type { Suite } from '../harness/base.ts';
import { startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { docker } from '../harness/docker.ts';
import { assertQuiet } from '../harness/failureLine.ts';
import { nixImage } from '../harness/images.ts';
import { assertBuilt, assertNothingBuilt, assertStoreIsSound, build } from '../harness/nix.ts';
import { makeVolume } from '../harness/volume.ts';

const versions: [Suite, RegExp][] = [
  ['bookworm', /\b2\.8\.0\b/],
  ['trixie', /\b2\.26\.\d/],
  ['forky', /\b2\.34\.\d/],
];

for (const [suite, version] of versions) {
  containerTest(`the Nix of Debian ${suite} boots, builds and survives a restart`, async () => {
    const image = await nixImage(suite);
    await using volume = await makeVolume();
    let path: string;
    {
      await using first = await startIdle({ image, volume: volume.name });
      assert.match((await first.exec(['nix', '--version'])).stdout, version);
      path = assertBuilt(await first.exec(build('c')), 'c');
      await docker('stop', first.name);
      assert.equal(await first.waitForEnd(), 143);
    }
    await using second = await startIdle({ image, volume: volume.name });
    assert.equal(assertNothingBuilt(await second.exec(build('c'))), path);
    assertBuilt(await second.exec(build('d'), '--user', 'alice'), 'd');
    await assertStoreIsSound(second);
    assertQuiet(await second.logs());
  });
}
