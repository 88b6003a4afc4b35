import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { type Change, changedImage } from '../harness/changedDatabase.ts';
import { containerTest } from '../harness/containerTest.ts';
import { buildAll } from '../harness/nix.ts';
import { leaveWriteAheadMode, moveRowsIntoLog } from '../harness/oddDatabases.ts';
import { upgradeGround } from '../harness/upgradeGround.ts';
import { upgradeImage } from '../harness/upgradeImages.ts';

interface Odd {
  what: string;
  change: Change;
  /** What else is done to the image. */
  script?: string;
  /** What has to be built of `new` and `c`, which the image ships, and of `e`, which a user has built on b. */
  built: { firstBoot: string[]; upgrade: string[] };
}

const asUsual = { firstBoot: ['e'], upgrade: [] };

const odds: Odd[] = [
  {
    what: 'without a database',
    change: (db) => rmSync(db, { recursive: true }),
    built: { firstBoot: ['a', 'b', 'c', 'e', 'new'], upgrade: ['c', 'new'] },
  },
  { what: 'without a schema number', change: (db) => rmSync(`${db}/schema`), built: asUsual },
  { what: 'whose database has no write-ahead log', change: leaveWriteAheadMode, built: asUsual },
  { what: 'half of whose rows are in the write-ahead log', change: moveRowsIntoLog, built: asUsual },
  {
    what: 'that has lost a path on which others depend',
    change: () => {},
    script: 'rm -r /nix/store/*-a',
    built: { firstBoot: ['a', 'b', 'c', 'e', 'new'], upgrade: ['a', 'b', 'c', 'e', 'new'] },
  },
];

for (const { what, change, script, built } of odds) {
  const test = `an image ${what}: the first boot, an upgrade to it, and from it to a whole one`;
  containerTest(test, async () => {
    await using image = await changedImage(await upgradeImage('trixie', 'B'), change, script);
    for (const when of ['firstBoot', 'upgrade'] as const) {
      await using ground = await upgradeGround('trixie');
      if (when === 'upgrade') {
        await using a = await ground.start('A');
        await buildAll(a, 'e');
      }
      for (const expected of [built[when], []]) {
        await using odd = await ground.start('B', { image: image.tag });
        assert.deepEqual((await buildAll(odd, 'new', 'c', 'e')).built, expected, when);
      }
      await using whole = await ground.start('B');
      assert.deepEqual((await buildAll(whole, 'new', 'c', 'e')).built, []);
    }
  });
}
