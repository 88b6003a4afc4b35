import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { makeWhiteout } from '../../../../src/linux/whiteout.ts';
import {
  type Overlaps,
  type SnapshotRequest,
  takeSnapshot,
} from '../../../../src/state/snapshot/snapshot.ts';
import { everythingOf } from '../../../harness/treeSnapshot.ts';
import { isInitError, temporaryDirectory } from '../../fixtures.ts';
import { Ground, named } from '../reconcile/ground.ts';

/** Image A: `app` on `libc`, and `tool`. B: another `app` on another libc, `tool`, and what the volume has built. */
function withImages(act: (reader: Reader) => Promise<void>): () => Promise<void> {
  return async () => {
    using directory = temporaryDirectory();
    const ground = new Ground(directory.path);
    ground.makeImage('A', { libc: {}, app: { refs: ['libc', 'app'] }, tool: {} });
    ground.makeImage('B', { libd: {}, appb: { refs: ['libd'] }, tool: {}, mine: { hash: 'sha256:b' } });
    await act(new Reader(ground));
  };
}

class Reader {
  readonly ground: Ground;
  readonly stateDir: string;

  constructor(ground: Ground) {
    this.ground = ground;
    this.stateDir = `${ground.base}/reader/state`;
    mkdirSync(`${ground.base}/reader`, { recursive: true });
  }

  /** Takes a snapshot, and sees to it that the volume stays as it is. */
  async take(image: string, changes: Partial<SnapshotRequest> = {}): Promise<Overlaps> {
    const { root } = this.ground.volume;
    const before = everythingOf(root);
    try {
      return await this.takeAmong(image, changes);
    } finally {
      assert.deepEqual(everythingOf(root), before);
    }
  }

  /** The same while others may be at work. */
  async takeAmong(image: string, changes: Partial<SnapshotRequest>): Promise<Overlaps> {
    const { base, volume } = this.ground;
    try {
      return await takeSnapshot({
        from: volume.state,
        upper: volume.upper,
        to: this.stateDir,
        image: this.ground.image(image),
        xattrs: 'user',
        storeDir: '/nix/store',
        nixStateDir: '/nix/var/nix',
        files: volume,
        scratch: `${base}/reader/scratch`,
        breathe: async () => {},
        ...changes,
      });
    } finally {
      assert.deepEqual(
        readdirSync(`${base}/reader`).filter((name) => name !== 'state'),
        [],
      );
    }
  }

  /** The names of the valid paths, sorted. */
  valid(): string[] {
    const rows = this.rows('select path from ValidPaths');
    return rows.map(({ path }) => String(path).slice(44)).sort();
  }

  rows(sql: string): Record<string, unknown>[] {
    using database = new DatabaseSync(`${this.stateDir}/db/db.sqlite`);
    return database.prepare(sql).all();
  }

  hash(name: string): unknown {
    return this.rows(`select hash from ValidPaths where path = '/nix/store/${named(name)}'`)[0]?.['hash'];
  }
}

const nothing = { hidden: [], hiding: [] };

test(
  'with the image of the volume a reader has what the volume has',
  withImages(async (reader) => {
    await reader.ground.boot('A');
    reader.ground.build({ mine: { refs: ['tool'] } });
    assert.deepEqual(await reader.take('A'), nothing);
    assert.deepEqual(reader.valid(), ['app', 'libc', 'mine', 'tool']);
    assert.deepEqual(reader.valid(), reader.ground.valid().sort());
    // A second one, in the same container, begins anew.
    reader.ground.build({ later: {} });
    await reader.take('A');
    assert.deepEqual(reader.valid(), ['app', 'later', 'libc', 'mine', 'tool']);
  }),
);

test(
  'with another image it has that and what of the volume is whole with it; the image has its own way where both have a path',
  withImages(async (reader) => {
    await reader.ground.boot('A');
    reader.ground.build({ mine: { hash: 'sha256:a' }, user: { refs: ['mine'] }, old: { refs: ['libc'] } });
    assert.deepEqual(await reader.take('B'), { hidden: [named('mine')], hiding: [] });
    assert.deepEqual(reader.valid(), ['appb', 'libd', 'mine', 'tool', 'user']);
    assert.equal(reader.hash('mine'), 'sha256:b');
    assert.deepEqual(reader.ground.valid().sort(), ['app', 'libc', 'mine', 'old', 'tool', 'user']);
    await reader.take('A');
    assert.deepEqual(reader.valid(), ['app', 'libc', 'mine', 'old', 'tool', 'user']);
    assert.equal(reader.hash('mine'), 'sha256:a');
  }),
);

test(
  'what waits on the volume for an older image is there for a reader with that',
  withImages(async (reader) => {
    await reader.ground.boot('A');
    reader.ground.build({ old: { refs: ['libc'] } });
    await reader.ground.boot('B');
    assert.deepEqual(reader.ground.valid(), ['appb', 'libd', 'mine', 'tool']);
    await reader.take('A');
    assert.deepEqual(reader.valid(), ['app', 'libc', 'old', 'tool']);
  }),
);

test(
  'a volume that nobody has written to: the state of the image',
  withImages(async (reader) => {
    rmSync(reader.ground.volume.upper, { recursive: true });
    assert.deepEqual(await reader.take('A'), nothing);
    assert.deepEqual(reader.valid(), ['app', 'libc', 'tool']);
  }),
);

test(
  'one whose seeding was cut short, with remains in the upper directory',
  withImages(async (reader) => {
    mkdirSync(`${reader.ground.volume.upper}/${named('tool')}`);
    assert.deepEqual(await reader.take('A'), { hidden: [named('tool')], hiding: [] });
    assert.deepEqual(reader.valid(), ['app', 'libc', 'tool']);
  }),
);

test(
  "what hides an image's path on the volume is nothing to a reader, and its row is back",
  withImages(async (reader) => {
    await reader.ground.boot('A');
    makeWhiteout(`${reader.ground.volume.upper}/${named('tool')}`);
    using database = new DatabaseSync(`${reader.ground.volume.state}/db/db.sqlite`);
    database.exec(`delete from ValidPaths where path = '/nix/store/${named('tool')}'`);
    database.close();
    assert.deepEqual(await reader.take('A'), nothing);
    assert.deepEqual(reader.valid(), ['app', 'libc', 'tool']);
  }),
);

test(
  'a copy that overlayfs made of a part of an image is kept from view',
  withImages(async (reader) => {
    await reader.ground.boot('A');
    reader.ground.copyUp('app', 'directory');
    for (const image of ['A', 'B'])
      assert.deepEqual(await reader.take(image), { hidden: [named('app')], hiding: [] }, image);
    assert.deepEqual(reader.valid(), ['appb', 'libd', 'mine', 'tool']);
  }),
);

test(
  "a path that is in the image's store but not in its database is the volume's",
  withImages(async (reader) => {
    await reader.ground.boot('A');
    reader.ground.build({ stray: {} });
    mkdirSync(`${reader.ground.image('A').storeDir}/${named('stray')}`);
    assert.deepEqual(await reader.take('A'), { hidden: [], hiding: [named('stray')] });
    assert.ok(reader.valid().includes('stray'));
  }),
);

test(
  'profiles and roots come along, and follow the image',
  withImages(async (reader) => {
    const { ground } = reader;
    mkdirSync(`${ground.image('A').stateDir}/profiles`);
    mkdirSync(`${ground.image('B').stateDir}/profiles`);
    symlinkSync(`/nix/store/${named('app')}`, `${ground.image('A').stateDir}/profiles/system`);
    symlinkSync(`/nix/store/${named('appb')}`, `${ground.image('B').stateDir}/profiles/system`);
    await ground.boot('A');
    symlinkSync(`/nix/store/${named('tool')}`, `${ground.volume.state}/profiles/own`);
    for (const [image, app] of [
      ['A', 'app'],
      ['B', 'appb'],
    ] as const) {
      await reader.take(image);
      const link = (name: string): string => readlinkSync(`${reader.stateDir}/profiles/${name}`);
      assert.equal(link('system'), `/nix/store/${named(app)}`);
      assert.equal(link('own'), `/nix/store/${named('tool')}`);
      const roots = readdirSync(`${reader.stateDir}/gcroots/image`)
        .map((name) => name.slice(33))
        .sort();
      assert.deepEqual(roots, image === 'A' ? ['app', 'tool'] : ['appb', 'mine', 'tool']);
    }
  }),
);

test(
  'sockets, locks and scratch of the one who writes stay with him',
  withImages(async (reader) => {
    await reader.ground.boot('A');
    const { state } = reader.ground.volume;
    for (const name of ['temproots', 'daemon-socket', 'builds']) mkdirSync(`${state}/${name}`);
    for (const name of ['temproots/1', 'gc.lock', 'db/big-lock']) writeFileSync(`${state}/${name}`, '');
    await reader.take('A');
    assert.deepEqual(readdirSync(reader.stateDir).sort(), ['db', 'gcroots']);
    assert.ok(!readdirSync(`${reader.stateDir}/db`).includes('big-lock'));
  }),
);

test(
  'a volume of a newer schema is refused, and a damaged one',
  withImages(async (reader) => {
    const { volume } = reader.ground;
    await reader.ground.boot('A');
    writeFileSync(`${volume.state}/db/schema`, '99');
    const newer = isInitError({
      exitCode: 78,
      stage: 'reconcile',
      what: /is of schema 99; this image's Nix knows 10/,
    });
    await assert.rejects(reader.take('A'), newer);
    writeFileSync(`${volume.state}/db/schema`, '10');
    writeFileSync(`${volume.state}/db/db.sqlite`, 'no database at all, as anybody can see'.repeat(200));
    const damaged = isInitError({ exitCode: 78, errno: 'EUCLEAN', remedy: /check --repair/ });
    await assert.rejects(reader.take('B'), damaged);
  }),
);

test(
  'a signal ends it',
  withImages(async (reader) => {
    await reader.ground.boot('A');
    const stop = async (): Promise<void> => Promise.reject(new Error('stop'));
    await assert.rejects(reader.take('B', { breathe: stop }), /stop/);
  }),
);

// The image of the volume, and that with which a writer starts meanwhile.
for (const [before, after] of [
  ['A', 'B'],
  ['B', 'A'],
  ['B', 'B'],
] as const) {
  test(
    `whenever a writer starts with image ${after} on a volume of ${before}, a reader has all that its own image lets be whole`,
    withImages(async ({ ground }) => {
      ground.makeImage('B', { libd: {}, appb: { refs: ['libd'] }, tool: {} });
      await ground.boot('A');
      ground.build({ user: { refs: ['tool'] }, old: { refs: ['libc'] }, older: { refs: ['old', 'user'] } });
      let first = 0;
      for (let met = true; met; first += 1) {
        await ground.boot(before);
        let occasion = 0;
        const breathe = async (): Promise<void> => {
          if (occasion === first) {
            ground.build({ [`extra${first}`]: {} });
            await ground.boot(after);
          }
          occasion += 1;
        };
        const reader = new Reader(ground);
        await reader.takeAmong('A', { breathe });
        const valid = reader.valid().filter((name) => !name.startsWith('extra'));
        assert.deepEqual(valid, ['app', 'libc', 'old', 'older', 'tool', 'user'], `occasion ${first}`);
        rmSync(`${ground.base}/reader`, { recursive: true });
        met = occasion > first;
      }
      assert.ok(first > 5, `there were ${first} occasions`);
    }),
  );
}
