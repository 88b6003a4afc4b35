import assert from 'node:assert/strict';
import { boot, type Container, startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { assertFails, assertQuiet } from '../harness/failureLine.ts';
import { type HostNix, makeHostNix } from '../harness/hostNix.ts';
import { assertStoreIsSound, buildAll, validOf } from '../harness/nix.ts';
import { everythingOf } from '../harness/treeSnapshot.ts';
import { type UpgradeImage, upgradeImage } from '../harness/upgradeImages.ts';
import { whiteouts } from '../harness/upper.ts';
import { makeVolume, type Volume } from '../harness/volume.ts';

/** Where a container has the /nix of each, and what it says of them. */
function mounted(lowers: readonly HostNix[]) {
  const at = lowers.map((_, index) => `/lowers/${index}`);
  return {
    flags: lowers.flatMap(({ nix }, index) => ['-v', `${nix}:${at[index]}:ro`]),
    env: { NIX_CACHE_INIT_LOWERS: JSON.stringify(at.map((nix) => `${nix}/store`)) },
  };
}

async function start(
  volume: Volume,
  lowers: readonly HostNix[],
  which: UpgradeImage = 'A',
): Promise<Container> {
  const image = await upgradeImage('trixie', which);
  return await startIdle({ volume: volume.name, image, ...mounted(lowers) });
}

containerTest(
  'two lowers: known without a build, by the daemon too; one comes, changes and goes',
  async () => {
    await using volume = await makeVolume();
    await using one = await makeHostNix('trixie', ['b', 'c']);
    await using other = await makeHostNix('trixie', ['b', 'side']);
    let mine: string[];
    {
      await using container = await start(volume, [one]);
      // d is made of c, which the lower has; side is in none yet.
      const { built, paths } = await buildAll(container, 'c', 'd', 'e');
      assert.deepEqual(built, ['d', 'e']);
      mine = [paths.d, paths.e];
      const asUser = await container.exec(
        ['nix', 'path-info', '--store', 'daemon', paths.c],
        '--user',
        'alice',
      );
      assert.equal(asUser.stdout.trim(), paths.c, asUser.stderr);
    }
    {
      await using container = await start(volume, [other, one]);
      assert.deepEqual((await buildAll(container, 'side', 'c', 'd', 'e')).built, []);
      await assertStoreIsSound(container);
    }
    // Its owner has added to it while nobody had it mounted.
    await other.shell('nix-build /packages.nix -A new --no-out-link');
    {
      await using container = await start(volume, [other, one]);
      assert.deepEqual((await buildAll(container, 'new', 'side', 'd')).built, []);
      await assertStoreIsSound(container);
    }
    {
      await using container = await start(volume, [other]);
      assert.deepEqual(await validOf(container, mine), [mine[1]]);
      await assertStoreIsSound(container);
    }
    await using container = await start(volume, [one]);
    assert.deepEqual(await validOf(container, mine), mine);
    assert.deepEqual((await buildAll(container, 'd', 'e')).built, []);
    await assertStoreIsSound(container);
  },
);

containerTest('garbage collection leaves the lowers alone, and leaves no whiteout', async () => {
  await using volume = await makeVolume();
  await using lower = await makeHostNix('trixie', ['b', 'c']);
  const before = everythingOf(`${lower.nix}/store`);
  await using container = await start(volume, [lower]);
  const { paths } = await buildAll(container, 'c', 'd', 'e');
  const { exitCode, stderr } = await container.exec(['nix-collect-garbage', '-d']);
  assert.equal(exitCode, 0, stderr);
  assert.deepEqual(await validOf(container, [paths.c, paths.d, paths.e]), [paths.c]);
  assert.deepEqual(await whiteouts(container), []);
  assert.deepEqual(everythingOf(`${lower.nix}/store`), before);
  await assertStoreIsSound(container);
});

containerTest('the image is upgraded above a lower, and back', async () => {
  await using volume = await makeVolume();
  await using lower = await makeHostNix('trixie', ['b', 'side']);
  const names = ['side', 'e'] as const;
  {
    await using a = await start(volume, [lower], 'A');
    assert.deepEqual((await buildAll(a, ...names, 'on-old')).built, ['e', 'on-old']);
  }
  {
    await using b = await start(volume, [lower], 'B');
    assert.deepEqual((await buildAll(b, ...names, 'new', 'c')).built, []);
    await assertStoreIsSound(b);
  }
  await using a = await start(volume, [lower], 'A');
  assert.deepEqual((await buildAll(a, ...names, 'on-old')).built, []);
  await assertStoreIsSound(a);
});

containerTest(
  'a lower that nobody mounted is refused with what to type; a boot that goes well is quiet',
  async () => {
    await using volume = await makeVolume();
    await using lower = await makeHostNix('trixie', ['b']);
    const { env, flags } = mounted([lower]);
    const strict = { ...env, NIX_CACHE_INIT_ON_UNSUPPORTED: 'fail' };
    assertFails(
      await boot({ volume: volume.name, env: strict, command: ['true'] }),
      78,
      /the lower \/lowers\/0\/store is no directory: ENOENT \(docker run -v …:\/lowers\/0\/store:ro/,
    );
    const result = await boot({ volume: volume.name, env: strict, flags, command: ['true'] });
    assert.equal(result.exitCode, 0, result.stderr);
    assertQuiet(result);
  },
);
