import assert from 'node:assert/strict';
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { changeVolume } from '../harness/changedDatabase.ts';
import { boot } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { assertFails } from '../harness/failureLine.ts';
import { buildAll } from '../harness/nix.ts';
import { upgradeGround } from '../harness/upgradeGround.ts';
import { upgradeImage } from '../harness/upgradeImages.ts';
import { listContents } from '../harness/volume.ts';

const PAGE = 4096;

/** What a bad disk, a full one or a power cut may make of a file. */
const damages: Record<string, (file: string) => void> = {
  zeros: (file) => writeFileSync(file, Buffer.alloc(readFileSync(file).length)),
  noise: (file) => writeFileSync(file, 'noise'.repeat(PAGE)),
  nothing: (file) => truncateSync(file, 0),
  'its first half': (file) => truncateSync(file, readFileSync(file).length / 2),
  'noise after the first page': (file) => {
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.fill('noise', PAGE));
  },
};

/** The manifest may say that the volume is in step with no image now; SQLite makes and removes an empty log. */
const free = /manifest\.json|^e3b0c44298fc1c14\S+ +\S+-wal$|-wal f /;

containerTest('a damaged database is refused at an upgrade with the remedy, and left alone', async () => {
  await using ground = await upgradeGround('trixie');
  {
    await using a = await ground.start('A');
    await buildAll(a, 'c', 'e');
  }
  const image = await upgradeImage('trixie', 'B');
  let good: Buffer | undefined;
  for (const [what, damage] of Object.entries(damages)) {
    await changeVolume(ground.volume, (db) => {
      good ??= readFileSync(`${db}/db.sqlite`);
      writeFileSync(`${db}/db.sqlite`, good);
      rmSync(`${db}/db.sqlite-wal`, { force: true });
      damage(`${db}/db.sqlite`);
    });
    const before = await listContents(ground.volume, free);
    const refused = await boot({
      image,
      volume: ground.volume.name,
      command: ['echo', 'the main command ran'],
    });
    assertFails(refused, 78, /damaged.*\(.*check --repair\)/);
    assert.equal(refused.stdout, '', what);
    assert.deepEqual(await listContents(ground.volume, free), before, what);
  }
  await changeVolume(ground.volume, (db) => writeFileSync(`${db}/db.sqlite`, good ?? ''));
  await using b = await ground.start('B');
  assert.deepEqual((await buildAll(b, 'new', 'c', 'e')).built, []);
});
