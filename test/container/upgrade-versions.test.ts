import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { changeVolume } from '../harness/changedDatabase.ts';
import { boot, startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { imageRows, volumeRows } from '../harness/databaseRows.ts';
import { assertFails } from '../harness/failureLine.ts';
import { nixImage } from '../harness/images.ts';
import { assertNothingBuilt, assertStoreIsSound, build, buildAll, validOf } from '../harness/nix.ts';
import { upgradeGround } from '../harness/upgradeGround.ts';
import { upgradeImage } from '../harness/upgradeImages.ts';
import { listContents, makeVolume } from '../harness/volume.ts';

containerTest('one volume under Nix 2.8, 2.26 and 2.34, and back', async () => {
  await using volume = await makeVolume();
  const env = { NIX_CONFIG: 'extra-experimental-features = ca-derivations' };
  let expected = ['addressed', 'c', 'd', 'e'];
  for (const suite of ['bookworm', 'trixie', 'forky', 'trixie', 'bookworm'] as const) {
    await using container = await startIdle({ image: await nixImage(suite), volume: volume.name, env });
    await assertStoreIsSound(container);
    assert.deepEqual((await buildAll(container, 'd', 'e', 'addressed')).built, expected, suite);
    assertNothingBuilt(await container.exec(build('d'), '--user', 'alice'));
    await assertStoreIsSound(container);
    expected = [];
  }
});

containerTest(
  'a database newer than the image’s Nix is refused, untouched, naming who wrote it',
  async () => {
    await using volume = await makeVolume();
    {
      await using forky = await startIdle({ image: await nixImage('forky'), volume: volume.name });
      await buildAll(forky, 'd');
    }
    await changeVolume(volume, (db) => writeFileSync(`${db}/schema`, '11'));
    const before = await listContents(volume);
    const command = ['echo', 'the main command ran'];
    const refused = await boot({ image: await nixImage('bookworm'), volume: volume.name, command });
    assertFails(refused, 78, /Nix 2\.34\.\d.*schema 11.*knows 10/);
    assert.equal(refused.stdout, '');
    assert.deepEqual(await listContents(volume), before);
  },
);

containerTest('a database older than the image’s Nix is migrated by it, and then complete', async () => {
  await using ground = await upgradeGround('trixie');
  let e: string;
  {
    await using a = await ground.start('A');
    e = (await buildAll(a, 'e')).paths.e;
  }
  await changeVolume(ground.volume, (db) => {
    writeFileSync(`${db}/schema`, '9');
    using database = new DatabaseSync(`${db}/db.sqlite`);
    database.exec('ALTER TABLE ValidPaths DROP COLUMN ca');
  });
  for (const _ of ['migrated', 'completed']) {
    await using b = await ground.start('B');
    assert.deepEqual(await validOf(b, [e]), [e]);
    assert.deepEqual((await buildAll(b, 'new', 'c', 'e')).built, []);
  }
  await using b = await ground.start('B');
  const rows = await volumeRows(b);
  for (const [path, row] of Object.entries(await imageRows(await upgradeImage('trixie', 'B'))))
    assert.equal(rows[path]?.['ca'], row['ca'], path);
});
