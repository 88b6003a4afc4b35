import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type SeedRequest, seedState } from '../../../src/state/seed.ts';
import { temporaryDirectory } from '../fixtures.ts';
import { createDatabase } from './database.ts';

const stop = new Error('stop');

/** An image with a database and two profiles, and a volume with half a state. */
function prepare(base: string, changes: Partial<SeedRequest>): SeedRequest {
  const seeding: SeedRequest = {
    from: `${base}/image`,
    to: `${base}/volume/var/nix`,
    staging: `${base}/volume/seed`,
    trash: `${base}/volume/trash`,
    onProgress: () => {},
    onReady: () => {},
    ...changes,
  };
  createDatabase(seeding.from).close();
  mkdirSync(`${seeding.from}/profiles`);
  writeFileSync(`${seeding.from}/profiles/one`, 'x'.repeat(1000));
  writeFileSync(`${seeding.from}/profiles/two`, 'x'.repeat(2000));
  mkdirSync(seeding.to, { recursive: true });
  writeFileSync(`${seeding.to}/mine`, '');
  return seeding;
}

function assertUntouched({ to, staging, trash }: SeedRequest): void {
  assert.deepEqual(readdirSync(to), ['mine']);
  assert.equal(existsSync(staging), false);
  assert.equal(existsSync(trash), false);
}

test('a throw at any moment leaves the volume as it was, and the next try succeeds', async () => {
  for (let failing = 1; ; failing += 1) {
    using directory = temporaryDirectory();
    let calls = 0;
    const onProgress = (): void => {
      calls += 1;
      if (calls === failing) throw stop;
    };
    const seeding = prepare(directory.path, { onProgress });
    if ((await seedState(seeding).catch((error: unknown) => error)) === 'seeded') {
      // The root, db, db.sqlite, profiles and two files in it.
      assert.ok(failing > 6);
      return;
    }
    assert.equal(calls, failing);
    assertUntouched(seeding);
    assert.equal(await seedState({ ...seeding, onProgress: () => {} }), 'seeded');
    assert.equal(existsSync(`${seeding.to}/db/db.sqlite`), true);
  }
});

test('a promise that rejects ends it just so', async () => {
  using directory = temporaryDirectory();
  const seeding = prepare(directory.path, { onProgress: () => Promise.reject(stop) });
  await assert.rejects(seedState(seeding), stop);
  assertUntouched(seeding);
});

test('when everything is ready the state has no name yet', async () => {
  using directory = temporaryDirectory();
  let ready = 0;
  const seeding = prepare(directory.path, {
    onReady: () => {
      ready += 1;
      assert.deepEqual(readdirSync(seeding.to), ['mine']);
      assert.deepEqual(readdirSync(seeding.staging).sort(), ['db', 'profiles']);
    },
  });
  assert.equal(await seedState(seeding), 'seeded');
  assert.equal(ready, 1);
});

test('a throw when everything is ready keeps the old state, and the next try succeeds', async () => {
  using directory = temporaryDirectory();
  const onReady = (): never => {
    throw stop;
  };
  const seeding = prepare(directory.path, { onReady });
  await assert.rejects(seedState(seeding), stop);
  assert.deepEqual(readdirSync(seeding.to), ['mine']);
  assert.equal(await seedState({ ...seeding, onReady: () => {} }), 'seeded');
});

test('progress only grows, to no more than the total', async () => {
  using directory = temporaryDirectory();
  const seen: [number, number][] = [];
  const onProgress = (done: number, total: number): void => void seen.push([done, total]);
  await seedState(prepare(directory.path, { onProgress }));
  const [, total = 0] = seen[0] ?? [];
  assert.ok(total > 3000 && seen.length >= 6);
  for (const [index, [done, all]] of seen.entries()) {
    assert.equal(all, total);
    assert.ok(done <= total && done > (seen[index - 1]?.[0] ?? 0));
  }
});

test('an image without a state directory fails with its errno and leaves nothing', async () => {
  using directory = temporaryDirectory();
  const seeding = {
    ...prepare(directory.path, {}),
    from: `${directory.path}/none`,
    to: `${directory.path}/volume/new`,
  };
  await assert.rejects(seedState(seeding), { code: 'ENOENT' });
  assert.equal(existsSync(seeding.staging), false);
  assert.equal(existsSync(seeding.to), false);
});
