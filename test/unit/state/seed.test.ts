import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type SeedRequest, seedState } from '../../../src/state/seed.ts';
import { temporaryDirectory } from '../fixtures.ts';
import { addPath, createDatabase, openDatabase, readPaths } from './database.ts';

/** A seeding from `image/` to `volume/var/nix`, the volume being new but for the directory that init keeps there. */
function request(base: string, changes: Partial<SeedRequest> = {}): SeedRequest {
  const own = `${base}/volume/.nix-cache-init`;
  mkdirSync(own, { recursive: true });
  mkdirSync(`${base}/image`, { recursive: true });
  const places = { from: `${base}/image`, to: `${base}/volume/var/nix` };
  const ignore = { onProgress: () => {}, onReady: () => {} };
  return { ...places, staging: `${own}/seed`, trash: `${own}/trash`, ...ignore, ...changes };
}

function makeState(stateDir: string, path: string): void {
  using database = createDatabase(stateDir);
  addPath(database, path);
}

test('a new volume gets the state of the image, without what belongs to one boot', async () => {
  using directory = temporaryDirectory();
  const seeding = request(directory.path);
  makeState(seeding.from, 'a');
  for (const name of ['profiles', 'temproots', 'daemon-socket']) mkdirSync(`${seeding.from}/${name}`);
  writeFileSync(`${seeding.from}/temproots/17`, '');
  writeFileSync(`${seeding.from}/db/big-lock`, '');
  assert.equal(await seedState(seeding), 'seeded');
  assert.deepEqual(readPaths(seeding.to), ['a']);
  assert.deepEqual(readdirSync(seeding.to).sort(), ['db', 'profiles']);
  assert.deepEqual(readdirSync(`${seeding.to}/db`), ['db.sqlite']);
  assert.equal(existsSync(seeding.staging), false);
  assert.equal(existsSync(seeding.trash), false);
});

test('rows that are only in the write-ahead log come along', async () => {
  using directory = temporaryDirectory();
  const seeding = request(directory.path);
  makeState(seeding.from, 'checkpointed');
  using database = openDatabase(seeding.from);
  addPath(database, 'logged');
  assert.equal(await seedState(seeding), 'seeded');
  assert.deepEqual(readdirSync(`${seeding.to}/db`).sort(), ['db.sqlite', 'db.sqlite-wal']);
  assert.deepEqual(readPaths(seeding.to), ['checkpointed', 'logged']);
  // Otherwise the test would show nothing: the database file alone lacks the row.
  mkdirSync(`${directory.path}/alone/db`, { recursive: true });
  copyFileSync(`${seeding.from}/db/db.sqlite`, `${directory.path}/alone/db/db.sqlite`);
  assert.deepEqual(readPaths(`${directory.path}/alone`), ['checkpointed']);
});

test('a volume that has a database is left as it is', async () => {
  using directory = temporaryDirectory();
  const fail = (): never => assert.fail('nothing is to be copied');
  const seeding = request(directory.path, { onProgress: fail, onReady: fail });
  makeState(seeding.from, 'image');
  makeState(seeding.to, 'volume');
  const before = readFileSync(`${seeding.to}/db/db.sqlite`);
  assert.equal(await seedState(seeding), 'present');
  assert.deepEqual(readFileSync(`${seeding.to}/db/db.sqlite`), before);
});

test('without a database on either side the volume keeps what it has', async () => {
  using directory = temporaryDirectory();
  const seeding = request(directory.path);
  mkdirSync(`${seeding.to}/profiles`, { recursive: true });
  assert.equal(await seedState(seeding), 'present');
  assert.deepEqual(readdirSync(seeding.to), ['profiles']);
});

test('an image without a database still gives a new volume its directories', async () => {
  using directory = temporaryDirectory();
  const seeding = request(directory.path);
  mkdirSync(`${seeding.from}/profiles`);
  assert.equal(await seedState(seeding), 'seeded');
  assert.deepEqual(readdirSync(seeding.to), ['profiles']);
});

test('half a state without a database goes to the trash, not to nothing', async () => {
  using directory = temporaryDirectory();
  const seeding = request(directory.path);
  makeState(seeding.from, 'a');
  mkdirSync(`${seeding.to}/db`, { recursive: true });
  writeFileSync(`${seeding.to}/mine`, 'kept');
  assert.equal(await seedState(seeding), 'seeded');
  assert.deepEqual(readPaths(seeding.to), ['a']);
  assert.equal(existsSync(`${seeding.to}/mine`), false);
  const [name, ...more] = readdirSync(seeding.trash);
  assert.deepEqual(more, []);
  assert.match(String(name), /^state-\d+$/);
  assert.equal(readFileSync(`${seeding.trash}/${name}/mine`, 'utf8'), 'kept');
});

test('what an interrupted boot left is swept, whatever comes after', async () => {
  for (const present of [false, true]) {
    using directory = temporaryDirectory();
    const seeding = request(directory.path);
    makeState(seeding.from, 'a');
    if (present) makeState(seeding.to, 'volume');
    mkdirSync(`${seeding.staging}/db`, { recursive: true });
    writeFileSync(`${seeding.staging}/db/db.sqlite`, 'half of one');
    await seedState(seeding);
    assert.equal(existsSync(seeding.staging), false);
    assert.deepEqual(readPaths(seeding.to), [present ? 'volume' : 'a']);
  }
});

test('names that are no UTF-8 are seeded, and left out where they belong to one boot', async () => {
  using directory = temporaryDirectory();
  const seeding = request(directory.path);
  const odd = Buffer.from([0xe9, 0xff]);
  const at = (path: string): Buffer => Buffer.concat([Buffer.from(`${path}/`), odd]);
  for (const name of ['profiles', 'temproots']) {
    mkdirSync(`${seeding.from}/${name}`);
    writeFileSync(at(`${seeding.from}/${name}`), name);
  }
  assert.equal(await seedState(seeding), 'seeded');
  assert.deepEqual(readdirSync(seeding.to), ['profiles']);
  assert.deepEqual(readdirSync(`${seeding.to}/profiles`, 'buffer'), [odd]);
  assert.equal(readFileSync(at(`${seeding.to}/profiles`), 'utf8'), 'profiles');
});
