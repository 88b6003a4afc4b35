import assert from 'node:assert/strict';
import { suites } from '../harness/base.ts';
import type { Container } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { imageRows } from '../harness/databaseRows.ts';
import { assertStoreIsSound, buildAll, packageOf, validOf } from '../harness/nix.ts';
import { upgradeGround } from '../harness/upgradeGround.ts';
import { type UpgradeImage, upgradeImage } from '../harness/upgradeImages.ts';
import { upperUsage, whiteouts } from '../harness/upper.ts';

const MIB = 1024 * 1024;
/** Nix counts files, the disk directories too. */
const TOLERANCE = 0.25 * MIB;

for (const suite of suites) {
  containerTest(`${suite}: garbage collection frees what was cached, and nothing of the image`, async () => {
    await using ground = await upgradeGround(suite);
    const imagePaths = async (which: UpgradeImage): Promise<string[]> =>
      Object.keys(await imageRows(await upgradeImage(suite, which)));
    {
      await using a = await ground.start('A');
      const { paths } = await buildAll(a, 'big', 'd', 'e', 'on-old');
      const kept = await a.exec(['nix-env', '--profile', '/nix/var/nix/profiles/mine', '--set', paths.e]);
      assert.equal(kept.exitCode, 0, kept.stderr);
      const gone = await collect(a, await imagePaths('A'));
      for (const name of ['big', 'c', 'd', 'on-old'])
        assert.ok(gone.includes(name), `${name} is still there`);
      assert.ok(!gone.includes('e'), 'a profile keeps e');
      assert.deepEqual(await validOf(a, Object.values(paths)), [paths.e]);
      await buildAll(a, 'big', 'on-old');
    }
    for (const which of ['B', 'A'] as const) {
      await using container = await ground.start(which);
      const gone = await collect(container, await imagePaths(which));
      assert.equal(gone.includes('big'), which === 'B', `what was garbage for ${which}: ${gone}`);
      assert.deepEqual((await buildAll(container, 'e', which === 'B' ? 'new' : 'old')).built, []);
    }
  });
}

/** Collects all garbage, looks at it from outside, and says which packages went. */
async function collect(container: Container, ofImage: string[]): Promise<string[]> {
  const before = await upperUsage(container);
  const { exitCode, stdout, stderr } = await container.exec(['nix-collect-garbage', '-d']);
  assert.equal(exitCode, 0, stderr);
  const after = await upperUsage(container);

  assert.deepEqual(await whiteouts(container), []);
  assert.deepEqual(await validOf(container, ofImage), ofImage);
  await assertStoreIsSound(container);

  const gone = Object.keys(before).filter((name) => name !== '.' && after[name] === undefined);
  const shrunk = (before['.'] ?? 0) - (after['.'] ?? 0);
  const freed = freedBytes(`${stdout}\n${stderr}`);
  assert.ok(Math.abs(shrunk - freed) < TOLERANCE, `Nix freed ${freed}, upper/ shrank by ${shrunk}`);
  return gone.map(packageOf);
}

/** From `12 store paths deleted, 3.45 MiB freed`. */
function freedBytes(output: string): number {
  const [, number, unit] = /deleted, ([\d.]+) ([KMG])iB freed/.exec(output) ?? [];
  assert.ok(number !== undefined, output);
  return Number(number) * { K: 1024, M: MIB, G: 1024 * MIB }[unit as 'K' | 'M' | 'G'];
}
