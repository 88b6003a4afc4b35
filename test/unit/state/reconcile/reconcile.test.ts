import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { InitError } from '../../../../src/errors.ts';
import { readManifest } from '../../../../src/volume/manifest.ts';
import { temporaryDirectory } from '../../fixtures.ts';
import { Ground, makeDatabase, named } from './ground.ts';

/** Image A: `app` on `libc`, and `tool`. B: another `app` on another libc, `tool` as it was, and `new`. */
function withImages(act: (ground: Ground) => Promise<void>): () => Promise<void> {
  return async () => {
    using directory = temporaryDirectory();
    const ground = new Ground(directory.path);
    ground.makeImage('A', { libc: {}, app: { refs: ['libc', 'app'] }, tool: {} });
    ground.makeImage('B', { libd: {}, appb: { refs: ['libd'] }, tool: { time: 99 }, new: {} });
    await act(ground);
  };
}

test(
  'a first boot knows the image, and roots what no other path of it refers to',
  withImages(async (ground) => {
    await ground.boot('A');
    assert.deepEqual(ground.valid(), ['app', 'libc', 'tool']);
    assert.deepEqual(ground.row('app')['refs'], ['app', 'libc']);
    assert.deepEqual(ground.roots(), ['app', 'tool']);
  }),
);

test(
  'an upgrade: new paths are known, vanished ones are not, nor is what needs them; what does not is kept',
  withImages(async (ground) => {
    await ground.boot('A');
    ground.build({ mine: { refs: ['tool'], sigs: 'k:1', deriver: '/nix/store/x.drv', time: 7 } });
    ground.build({ old: { refs: ['libc'] }, older: { refs: ['old', 'mine'] } });
    const mine = ground.row('mine');
    const done = await ground.boot('B');
    assert.deepEqual(ground.valid(), ['appb', 'libd', 'mine', 'new', 'tool']);
    assert.deepEqual(ground.row('mine'), mine);
    assert.deepEqual(ground.roots(), ['appb', 'new', 'tool']);
    assert.deepEqual(done?.forgotten.map((path) => path.slice(44)).sort(), ['app', 'libc', 'old', 'older']);
    // When a path was registered is the volume's own affair.
    assert.equal(ground.row('tool')['registrationTime'], 1);
  }),
);

test(
  'back to the older image: what waited in the upper directory is valid again, with all its row said',
  withImages(async (ground) => {
    await ground.boot('A');
    ground.build({ old: { refs: ['libc'], sigs: 'k:2', time: 8 } });
    ground.build({ older: { refs: ['old', 'older'], out: 'made' } });
    const { id: _, ...before } = ground.row('older');
    assert.deepEqual(before['outs'], ['made']);
    await ground.boot('B');
    assert.deepEqual(ground.valid(), ['appb', 'libd', 'new', 'tool']);
    for (const image of ['A', 'B', 'A']) await ground.boot(image);
    assert.deepEqual(ground.valid(), ['app', 'libc', 'old', 'older', 'tool']);
    const { id: __, ...after } = ground.row('older');
    assert.deepEqual(after, before);
    assert.equal(ground.row('old')['sigs'], 'k:2');
  }),
);

test(
  'what Nix has touched since is not put back',
  withImages(async (ground) => {
    await ground.boot('A');
    ground.build({ old: { refs: ['libc'] } });
    await ground.boot('B');
    // As any change of a directory's own entries or modes does.
    rmSync(`${ground.volume.upper}/${named('old')}/file`);
    await ground.boot('A');
    assert.deepEqual(ground.valid(), ['app', 'libc', 'tool']);
  }),
);

test(
  'what overlayfs copied up of an older image’s path is no path of the volume, but a link to it may be',
  withImages(async (ground) => {
    await ground.boot('A');
    ground.build({ mine: {}, linked: {} });
    ground.copyUp('app', 'directory');
    ground.copyUp('libc', 'file');
    // Optimising the store makes a file of the user's a link to such a copy.
    ground.copyUp('linked', 'linked file');
    await ground.boot('B');
    assert.deepEqual(ground.upper(), ['linked', 'mine']);
    assert.deepEqual(ground.valid(), ['appb', 'libd', 'linked', 'mine', 'new', 'tool']);
  }),
);

test(
  'a path in both layers is the image’s, row and all, and nothing is merged',
  withImages(async (ground) => {
    await ground.boot('A');
    ground.build({ new: { hash: 'sha256:other', time: 5, refs: ['tool'] }, on: { refs: ['new'] } });
    const done = await ground.boot('B');
    assert.deepEqual(done?.superseded, [named('new')]);
    assert.deepEqual(ground.upper(), ['on']);
    assert.ok(existsSync(`${ground.volume.superseded}/${named('new')}/file`));
    const { hash, refs } = ground.row('new');
    assert.deepEqual([hash, refs], ['sha256:0', []]);
    assert.deepEqual(ground.row('on')['refs'], ['new']);
  }),
);

test(
  'an unchanged image is not looked into, nor is its database opened',
  withImages(async (ground) => {
    await ground.boot('A');
    // Opening it would fail.
    writeFileSync(`${ground.volume.state}/db/db.sqlite`, 'garbage');
    assert.equal(await ground.boot('A'), undefined);
    ground.makeImage('A', { libc: {}, app: { refs: ['libc', 'app'] }, tool: {} });
    assert.equal(await ground.boot('A'), undefined);
  }),
);

test(
  'the same image with other times is known by its contents, and then by its looks',
  withImages(async (ground) => {
    await ground.boot('A');
    const before = readManifest(ground.volume.manifest);
    utimesSync(ground.image('A').storeDir, 1, 1);
    assert.equal(await ground.boot('A'), undefined);
    const after = readManifest(ground.volume.manifest);
    assert.equal(after?.imageIdentity, before?.imageIdentity);
    assert.notEqual(after?.imageStat, before?.imageStat);
  }),
);

test(
  'rows of paths that the image does not have on its disk are not believed, nor what refers to them',
  withImages(async (ground) => {
    ground.makeImage('C', { gone: {}, half: { refs: ['gone', 'kept'] }, kept: {} }, { absent: ['gone'] });
    await ground.boot('C');
    assert.deepEqual(ground.valid(), ['kept']);
    assert.deepEqual(ground.roots(), ['kept']);
  }),
);

test(
  'where neither has a database, what the last image had as roots is gone',
  withImages(async (ground) => {
    await ground.boot('A');
    assert.notDeepEqual(ground.roots(), []);
    rmSync(`${ground.volume.state}/db`, { recursive: true });
    rmSync(`${ground.image('B').stateDir}/db`, { recursive: true });
    await ground.boot('B');
    assert.deepEqual(ground.roots(), []);
  }),
);

test(
  'an image without a database leaves what the volume knows and can see',
  withImages(async (ground) => {
    await ground.boot('A');
    ground.build({ mine: {} });
    ground.makeImage('N', { tool: {} });
    rmSync(`${ground.image('N').stateDir}/db`, { recursive: true });
    await ground.boot('N');
    assert.deepEqual(ground.valid(), ['mine', 'tool']);
    assert.equal(await ground.boot('N'), undefined);
    ground.makeImage('N', { tool: {}, more: {} });
    rmSync(`${ground.image('N').stateDir}/db`, { recursive: true });
    assert.notEqual(await ground.boot('N'), undefined);
  }),
);

test(
  'a database newer than the image’s Nix is refused and left alone',
  withImages(async (ground) => {
    await ground.boot('A');
    writeFileSync(`${ground.volume.state}/db/schema`, '11');
    const before = readFileSync(ground.volume.manifest);
    await assert.rejects(ground.boot('B'), (error) => {
      assert.ok(error instanceof InitError);
      assert.equal(error.exitCode, 78);
      assert.match(error.message, /last used with Nix 2\.34\.0, is of schema 11; this image's Nix knows 10/);
      return true;
    });
    assert.deepEqual(readFileSync(ground.volume.manifest), before);
  }),
);

for (const [what, text] of [
  ['garbage', 'x'.repeat(8192)],
  ['nothing at all', ''],
] as const) {
  test(
    `a database of ${what} is refused with the remedy`,
    withImages(async (ground) => {
      await ground.boot('A');
      writeFileSync(`${ground.volume.state}/db/db.sqlite`, text);
      await assert.rejects(ground.boot('B'), (error) => {
        assert.ok(error instanceof InitError);
        assert.deepEqual([error.exitCode, error.errno], [78, 'EUCLEAN']);
        assert.match(error.remedy, /check --repair/);
        return true;
      });
    }),
  );
}

test(
  'what of the image is only in its write-ahead log is known too',
  withImages(async (ground) => {
    const { DatabaseSync } = await import('node:sqlite');
    makeDatabase(ground.image('B').stateDir.replace('state', 'other'), {});
    using database = new DatabaseSync(`${ground.image('B').stateDir}/db/db.sqlite`);
    database.exec(`insert into ValidPaths (path, hash, registrationTime)
      values ('/nix/store/${named('tool')}x', 'h', 1)`);
    writeFileSync(`${ground.image('B').storeDir}/${named('tool')}x`, '');
    await ground.boot('B');
    assert.ok(ground.valid().includes('toolx'));
    assert.ok(!existsSync(ground.volume.imageCopy));
  }),
);

test(
  'a damaged database of the image is said to be the image’s',
  withImages(async (ground) => {
    await ground.boot('A');
    ground.build({ mine: {} });
    writeFileSync(`${ground.image('B').stateDir}/db/db.sqlite`, 'x'.repeat(8192));
    await assert.rejects(ground.boot('B'), {
      message: /database of the image is damaged.*make the image anew/,
    });
    await ground.boot('A');
    assert.ok(ground.valid().includes('mine'));
  }),
);

// Both are read on other threads while the databases are compared: their errors come when nobody waits for them yet.
test(
  'an image that cannot be read fails the boot with what failed first, and nothing else',
  withImages(async (ground) => {
    await ground.boot('A');
    rmSync(ground.image('B').storeDir, { recursive: true });
    for (const always of [false, true])
      await assert.rejects(ground.boot('B', { always }), { code: 'ENOENT', syscall: 'scandir' });
    writeFileSync(`${ground.volume.state}/db/db.sqlite`, 'no database');
    await assert.rejects(ground.boot('B', { always: true }), InitError);
    assert.equal(readManifest(ground.volume.manifest)?.imageIdentity, null);
  }),
);
