import assert from 'node:assert/strict';
import { gcSchema } from '../../src/commands/schemas/gc.ts';
import { suites } from '../harness/base.ts';
import { startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { nixImage } from '../harness/images.ts';
import { assertStoreIsSound, buildAll, validOf } from '../harness/nix.ts';
import { upperPaths, whiteouts } from '../harness/upper.ts';
import { bare, makeVolume } from '../harness/volume.ts';

for (const suite of suites) {
  containerTest(`${suite}: gc in a container, by root and by a user, and beside the volume`, async () => {
    await using volume = await makeVolume();
    const image = await nixImage(suite);
    const flags = ['gc', '--json'];
    {
      await using container = await startIdle({ image, volume: volume.name });
      const { paths } = await buildAll(container, 'big', 'd', 'e');
      const profile = '/nix/var/nix/profiles/mine';
      const rooted = await container.exec(['nix-env', '--profile', profile, '--set', paths.d]);
      assert.equal(rooted.exitCode, 0, rooted.stderr);
      const alice = await container.exec(['nix-cache-init', ...flags, '--dry-run'], '--user', 'alice');
      const root = await container.exec(['nix-cache-init', ...flags, '--max-size', '1M']);
      assert.deepEqual([alice.exitCode, root.exitCode], [0, 0], `${alice.stderr}\n${root.stderr}`);
      const planned = gcSchema.parse(JSON.parse(alice.stdout));
      const done = gcSchema.parse(JSON.parse(root.stdout));
      assert.ok(planned.deleted.some(({ path }) => path === paths.e));
      assert.ok(done.deleted.some(({ path }) => path === paths.big));
      assert.ok(done.after.bytes <= 1024 ** 2 && done.under);
      const names = done.deleted.map(({ path }) => path);
      assert.deepEqual(
        (await upperPaths(container)).filter((path) => names.includes(path)),
        [],
      );
      assert.deepEqual(await whiteouts(container), []);
      assert.deepEqual(await validOf(container, [paths.d]), [paths.d]);
      await assertStoreIsSound(container);
    }
    const program = '/opt/nix-cache-init/bin/nix-cache-init';
    const alone = await bare(image, [program, ...flags], '-v', `${volume.name}:/nix-cache`);
    assert.equal(alone.exitCode, 0, alone.stderr);
    const report = gcSchema.parse(JSON.parse(alone.stdout));
    assert.ok(report.deleted.every(({ path }) => !path.endsWith('-d')));
    await using again = await startIdle({ image, volume: volume.name });
    assert.deepEqual((await buildAll(again, 'd')).built, []);
    await assertStoreIsSound(again);
  });
}
