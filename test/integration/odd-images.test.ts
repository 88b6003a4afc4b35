import assert from 'node:assert/strict';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Change } from '../harness/changedDatabase.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { assertVerified, packagesBuilt } from '../harness/nix.ts';
import { makeNixMachine, type NixMachine } from '../harness/nixMachine.ts';
import { leaveWriteAheadMode, moveRowsIntoLog } from '../harness/oddDatabases.ts';
import { makeWorkspace } from '../harness/workspace.ts';

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
    script: 'rm -r images/odd/store/*-a',
    built: { firstBoot: ['a', 'b', 'c', 'e', 'new'], upgrade: ['a', 'b', 'c', 'e', 'new'] },
  },
];

for (const { what, change, script, built } of odds) {
  const test = `an image ${what}: the first boot, an upgrade to it, and from it to a whole one`;
  namespaceTest(test, async () => {
    await using ground = await makeNixMachine();
    await makeOdd(ground, change, script);
    for (const when of ['firstBoot', 'upgrade'] as const) {
      await ground.machine.shell('find nix-cache -mindepth 1 -delete');
      await ground.switchImage('A');
      if (when === 'upgrade') await ground.build('e');
      await ship(ground, 'odd');
      for (const expected of [built[when], []]) {
        await ground.switchImage('B');
        assert.deepEqual(await build(ground, 'new', 'c', 'e'), expected, when);
      }
      await ground.switchImage('A');
      await ship(ground, 'whole');
      await ground.switchImage('B');
      assert.deepEqual(await build(ground, 'new', 'c', 'e'), []);
    }
  });
}

/** @param script run at the machine's root, for what else is to be different. */
async function makeOdd({ machine }: NixMachine, change: Change, script = ''): Promise<void> {
  await machine.shell('cp -a images/B images/whole; cp -a images/B images/odd');
  await using workspace = await makeWorkspace();
  const database = machine.path('/images/odd/var/nix/db');
  // SQLite cannot follow a path through /proc.
  const copy = join(workspace.path, 'db');
  cpSync(database, copy, { recursive: true });
  await change(copy);
  rmSync(database, { recursive: true });
  if (existsSync(copy)) cpSync(copy, database, { recursive: true });
  await machine.shell(script);
}

/** The next containers of image B, of which there is none now, are of that one. */
const ship = ({ machine }: NixMachine, which: 'odd' | 'whole'): Promise<string> =>
  machine.shell(`rm -rf images/B; cp -a images/${which} images/B`);

/** In a store in which everything is right, and nothing hidden. @returns the packages for which a builder ran. */
async function build(ground: NixMachine, ...names: string[]): Promise<string[]> {
  const look = 'nix-store --verify --check-contents; find /nix-cache/upper -type c';
  const wanted = names.map((name) => `-A ${name}`).join(' ');
  const outcome = await ground.boot([
    'sh',
    '-euc',
    `${look}; nix-build /packages.nix ${wanted} --no-out-link`,
  ]);
  assertVerified(outcome);
  const said = outcome.stdout.trim().split('\n');
  assert.equal(said.length, names.length, outcome.stdout);
  return packagesBuilt(outcome.stderr);
}
