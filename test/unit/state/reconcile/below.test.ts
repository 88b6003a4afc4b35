import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { hasXattr } from '../../../../src/linux/xattrs.ts';
import { readManifest } from '../../../../src/volume/manifest.ts';
import { temporaryDirectory } from '../../fixtures.ts';
import { Ground, named } from './ground.ts';

/** An image, and another store below it, of whose paths Nix has copied two rows; the volume's `mine` is made of one of them. */
function withBelow(act: (ground: Ground, store: string) => Promise<void>): () => Promise<void> {
  return async () => {
    using directory = temporaryDirectory();
    const ground = new Ground(directory.path);
    ground.makeImage('A', { libc: {}, app: { refs: ['libc'] } });
    ground.makeImage('other', { far: {}, farther: { refs: ['far'] } });
    const store = ground.image('other').storeDir;
    await ground.boot('A', { below: [store] });
    ground.build({ far: {}, farther: { refs: ['far'] } });
    for (const name of ['far', 'farther'])
      rmSync(`${ground.volume.upper}/${named(name)}`, { recursive: true });
    ground.build({ mine: { refs: ['far', 'libc'] } });
    await act(ground, store);
  };
}

const everything = ['app', 'far', 'farther', 'libc', 'mine'];

test(
  'a path of a store below is there, and nobody makes a root of it',
  withBelow(async (ground, store) => {
    await ground.boot('A', { below: [store] });
    assert.deepEqual(ground.valid(), everything);
    assert.deepEqual(ground.roots(), ['app']);
  }),
);

test(
  'it is looked after at each boot: nobody tells when a store below changes',
  withBelow(async (ground, store) => {
    await ground.boot('A', { below: [store] });
    rmSync(`${store}/${named('farther')}`, { recursive: true });
    const done = await ground.boot('A', { below: [store] });
    assert.deepEqual(
      done?.forgotten.map((path) => path.slice(44)),
      ['farther'],
    );
    assert.deepEqual(
      ground.valid(),
      everything.filter((name) => name !== 'farther'),
    );
  }),
);

test(
  'a store that is away takes what is made of it along, and brings it back, whatever booted in between',
  withBelow(async (ground, store) => {
    await ground.boot('A', { below: [store] });
    const mine = ground.row('mine');
    const far = ground.row('far');
    for (let boots = 0; boots < 2; boots += 1) {
      await ground.boot('A');
      assert.deepEqual(ground.valid(), ['app', 'libc']);
    }
    await ground.boot('A', { below: [store] });
    assert.deepEqual(ground.valid(), everything);
    const known = ({ id, ...row }: Record<string, unknown>) => row;
    assert.deepEqual([ground.row('mine'), ground.row('far')].map(known), [mine, far].map(known));
    assert.equal(JSON.parse(readFileSync(ground.volume.remembered, 'utf8')).length, 0);
  }),
);

test(
  'what the database has learnt of such a path since is not overwritten',
  withBelow(async (ground, store) => {
    await ground.boot('A', { below: [store] });
    await ground.boot('A');
    using database = new DatabaseSync(`${ground.volume.state}/db/db.sqlite`);
    database.exec(
      `insert into ValidPaths (path, hash, registrationTime) values ('/nix/store/${named('far')}', 'sha256:new', 5)`,
    );
    database.close();
    await ground.boot('A', { below: [store] });
    assert.equal(ground.row('far')['hash'], 'sha256:new');
    assert.deepEqual(ground.valid(), everything);
  }),
);

test(
  'without a store below, vanished paths of an image are not remembered',
  withBelow(async (ground, store) => {
    await ground.boot('A', { below: [store] });
    await ground.boot('A');
    ground.makeImage('B', { libd: {} });
    await ground.boot('B');
    const remembered = JSON.parse(readFileSync(ground.volume.remembered, 'utf8'));
    const paths = remembered.map(({ row }: { row: { path: string } }) => row.path.slice(44)).sort();
    assert.deepEqual(paths, ['far', 'farther', 'mine']);
  }),
);

test(
  'once it is gone, the image that did not change needs no looking at again',
  withBelow(async (ground, store) => {
    await ground.boot('A', { below: [store] });
    assert.equal(readManifest(ground.volume.manifest)?.below, true);
    assert.notEqual(await ground.boot('A'), undefined);
    assert.equal(readManifest(ground.volume.manifest)?.below, undefined);
    assert.equal(await ground.boot('A'), undefined);
  }),
);

test(
  'a copy on the volume hides the one below, whole: overlayfs would show the two merged',
  withBelow(async (ground, store) => {
    const isOpaque = (name: string): boolean =>
      hasXattr(`${ground.volume.upper}/${named(name)}`, 'user.overlay.opaque');
    cpSync(`${store}/${named('far')}`, `${store}/${named('mine')}`, { recursive: true });
    ground.build({ own: {} });
    await ground.boot('A', { below: [store] });
    assert.deepEqual(ground.valid(), [...everything, 'own']);
    assert.deepEqual(['mine', 'own'].map(isOpaque), [true, false]);
  }),
);
