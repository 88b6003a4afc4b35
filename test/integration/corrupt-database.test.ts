import assert from 'node:assert/strict';
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { assertFails } from '../harness/failureLine.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { makeNixMachine } from '../harness/nixMachine.ts';
import { snapshotTree } from '../harness/treeSnapshot.ts';

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

/** The lock says who asked for it last, the manifest that the volume may be in step with no image now. */
const free = ['.nix-cache-init/lock', '.nix-cache-init/manifest.json'];
/** A new manifest changes the time of the one, the empty log that SQLite makes and removes that of the other. */
const touched = ['.nix-cache-init', 'var/nix/db'];
const emptyLog = /-wal .* e3b0c44298fc1c14$/;

async function contentsOf(volume: string): Promise<string[]> {
  const entries = Object.entries(await snapshotTree(volume, free)).filter(
    ([path]) => !touched.includes(path),
  );
  return entries.map(([path, entry]) => `${path} ${entry}`).filter((line) => !emptyLog.test(line));
}

namespaceTest('a damaged database is refused at an upgrade with the remedy, and left alone', async () => {
  await using ground = await makeNixMachine();
  await ground.nix('nix-build /packages.nix -A c -A e --no-out-link');
  await ground.switchImage('B');
  const volume = ground.machine.path('/nix-cache');
  const database = `${volume}/var/nix/db/db.sqlite`;
  const good = readFileSync(database);
  for (const [what, damage] of Object.entries(damages)) {
    writeFileSync(database, good);
    rmSync(`${database}-wal`, { force: true });
    damage(database);
    const before = await contentsOf(volume);
    const refused = await ground.boot(['echo', 'the main command ran']);
    assertFails(refused, 78, /damaged.*\(.*check --repair\)/);
    assert.equal(refused.stdout, '', what);
    assert.deepEqual(await contentsOf(volume), before, what);
  }
  writeFileSync(database, good);
  const { exitCode, stderr } = await ground.boot([
    ...['nix-build', '/packages.nix', '-A', 'new', '-A', 'c', '-A', 'e', '--no-out-link'],
  ]);
  assert.equal(exitCode, 0, stderr);
  assert.doesNotMatch(stderr, /building '/);
});
