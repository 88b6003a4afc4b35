import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { hasXattr } from '../../../../src/linux/xattrs.ts';
import type { Reconciled } from '../../../../src/state/reconcile/reconcile.ts';
import { readManifest } from '../../../../src/volume/manifest.ts';
import { temporaryDirectory } from '../../fixtures.ts';
import { Ground, makeDatabase, named } from '../reconcile/ground.ts';

/** Image A, its upgrade B, and lowers: X has a package of its own on the image's libc, Y one on X's. */
function withLowers(act: (ground: Ground, boot: Boot) => Promise<void>): () => Promise<void> {
  return async () => {
    using directory = temporaryDirectory();
    const ground = new Ground(directory.path);
    ground.makeImage('A', { libc: {}, app: { refs: ['libc'] } });
    ground.makeImage('B', { libd: {}, appb: { refs: ['libd'] } });
    ground.makeImage('X', { libc: {}, ex: { refs: ['libc'] } });
    ground.makeImage('Y', { libc: {}, ex: { refs: ['libc'] }, wy: { refs: ['ex'] } }, { absent: ['ex'] });
    const { masks, combined } = ground.volume;
    await act(ground, (image, ...lowers) => {
      const places = lowers.map((name) => ground.image(name));
      return ground.boot(image, lowers.length > 0 ? { lowers: { places, masks, combined } } : {});
    });
  };
}

const valid = (ground: Ground): string[] => ground.valid().sort();

type Boot = (image: string, ...lowers: string[]) => Promise<Reconciled | undefined>;

test(
  'all that the lowers have is known, and rooted as the image’s is',
  withLowers(async (ground, boot) => {
    await boot('A', 'X', 'Y');
    assert.deepEqual(valid(ground), ['app', 'ex', 'libc', 'wy']);
    assert.deepEqual(ground.row('wy')['refs'], ['ex']);
    assert.deepEqual(ground.roots(), ['app', 'wy']);
    assert.equal(await boot('A', 'X', 'Y'), undefined);
  }),
);

test(
  'a lower that is added or taken away is noticed, and what needs it waits until it is back',
  withLowers(async (ground, boot) => {
    await boot('A');
    await boot('A', 'X');
    ground.build({ mine: { refs: ['ex', 'mine'], sigs: 'k:1' }, free: { refs: ['libc'] } });
    const { id: _, ...mine } = ground.row('mine');
    await boot('A');
    assert.deepEqual(valid(ground), ['app', 'free', 'libc']);
    assert.deepEqual(ground.upper(), ['free', 'mine']);
    await boot('A', 'X', 'Y');
    assert.deepEqual(valid(ground), ['app', 'ex', 'free', 'libc', 'mine', 'wy']);
    const { id: __, ...again } = ground.row('mine');
    assert.deepEqual(again, mine);
  }),
);

test(
  'the order of the lowers counts, and their places do not',
  withLowers(async (_, boot) => {
    await boot('A', 'X', 'Y');
    assert.notEqual(await boot('A', 'Y', 'X'), undefined);
  }),
);

test(
  'a lower that changes is brought in step; the others are known by how they look',
  withLowers(async (ground, boot) => {
    await boot('A', 'X', 'Y');
    const before = readManifest(ground.volume.manifest)?.layers ?? [];
    assert.equal(before.length, 3);
    ground.makeImage('X', { libc: {}, ex: { refs: ['libc'] }, extra: {} });
    await boot('A', 'X', 'Y');
    assert.deepEqual(valid(ground), ['app', 'ex', 'extra', 'libc', 'wy']);
    const after = readManifest(ground.volume.manifest)?.layers ?? [];
    const same = after.map((layer, index) => layer.identity === before[index]?.identity);
    assert.deepEqual(same, [true, false, true]);
  }),
);

test(
  'an upgrade of the image: what a lower has only with the old one is not valid any more',
  withLowers(async (ground, boot) => {
    ground.makeImage('Z', { libc: {}, zed: { refs: ['libc'] }, lone: {} }, { absent: ['libc'] });
    await boot('A', 'Z');
    assert.deepEqual(valid(ground), ['app', 'libc', 'lone', 'zed']);
    await boot('B', 'Z');
    assert.deepEqual(valid(ground), ['appb', 'libd', 'lone']);
    await boot('A', 'Z');
    assert.deepEqual(valid(ground), ['app', 'libc', 'lone', 'zed']);
  }),
);

test(
  'of a path that volume and lower have, the volume’s own stays: it is there when the lower is gone',
  withLowers(async (ground, boot) => {
    await boot('A');
    ground.build({ ex: { refs: ['libc'], sigs: 'mine:1', hash: 'sha256:1' } });
    await boot('A', 'X', 'Y');
    assert.deepEqual([ground.row('ex')['sigs'], ground.row('ex')['hash']], ['mine:1', 'sha256:1']);
    assert.deepEqual(ground.upper(), ['ex']);
    assert.ok(hasXattr(`${ground.volume.upper}/${named('ex')}`, 'user.overlay.opaque'));
    assert.deepEqual(valid(ground), ['app', 'ex', 'libc', 'wy']);
    await boot('A');
    assert.deepEqual(valid(ground), ['app', 'ex', 'libc']);
  }),
);

test(
  'a volume of a version that knows no lowers, or of none, is of format 1 and of another image to it',
  withLowers(async (ground, boot) => {
    await boot('A');
    const plain = readManifest(ground.volume.manifest);
    assert.equal(plain?.layers, undefined);
    await boot('A', 'X');
    const manifest = JSON.parse(readFileSync(ground.volume.manifest, 'utf8'));
    assert.equal(manifest.format, 1);
    assert.notEqual(manifest.imageIdentity, plain?.imageIdentity);
    assert.ok(!plain?.imageStat?.includes('|') && manifest.imageStat.includes('|'));
    await boot('A');
    assert.deepEqual(readManifest(ground.volume.manifest), plain);
  }),
);

test(
  'a manifest with layers that are none is damaged',
  withLowers(async (ground, boot) => {
    await boot('A', 'X');
    const manifest = JSON.parse(readFileSync(ground.volume.manifest, 'utf8'));
    for (const layers of [{}, [null], [{ looks: 1, identity: 'x' }], [{ looks: 'x' }]]) {
      writeFileSync(ground.volume.manifest, JSON.stringify({ ...manifest, layers }));
      assert.throws(() => readManifest(ground.volume.manifest), /damaged/);
    }
  }),
);

test(
  'nothing is left of what was made of their databases',
  withLowers(async (ground, boot) => {
    await boot('A', 'X', 'Y');
    assert.throws(() => readFileSync(`${ground.volume.combined}/db/db.sqlite`), { code: 'ENOENT' });
    // A database that is gone makes no path less whole that was known.
    rmSync(ground.image('Y').stateDir, { recursive: true });
    await boot('A', 'X', 'Y');
    assert.deepEqual(valid(ground), ['app', 'ex', 'libc', 'wy']);
  }),
);

test(
  'a volume without a database cannot know them yet: it does when Nix has made one',
  withLowers(async (ground, boot) => {
    mkdirSync(ground.volume.state, { recursive: true });
    await boot('A', 'X');
    assert.equal(readManifest(ground.volume.manifest)?.imageIdentity, null);
    makeDatabase(ground.volume.state, {});
    await boot('A', 'X');
    assert.deepEqual(valid(ground), ['app', 'ex', 'libc']);
  }),
);
