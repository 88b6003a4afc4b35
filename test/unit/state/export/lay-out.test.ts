import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { removeReadOnlyTree } from '../../../../src/linux/remove.ts';
import { type LayOut, layOut } from '../../../../src/state/export/lay-out.ts';
import { isInitError, temporaryDirectory } from '../../fixtures.ts';

/** A store with two paths that share a file, and one that nobody asks for. */
function makeStore(base: string): string {
  const store = `${base}/real`;
  for (const name of ['one', 'two/bin', 'other', '.links'])
    mkdirSync(`${store}/${name}`, { recursive: true });
  writeFileSync(`${store}/one/file`, 'shared');
  linkSync(`${store}/one/file`, `${store}/two/bin/twin`);
  linkSync(`${store}/one/file`, `${store}/.links/hash`);
  symlinkSync('/nix/store/one/file', `${store}/two/link`);
  writeFileSync(`${store}/three`, 'a path that is a file', { mode: 0o444 });
  writeFileSync(`${store}/two/bin/tool`, '#!', { mode: 0o555 });
  chmodSync(`${store}/one/file`, 0o444);
  for (const name of ['one', 'two/bin', 'two']) chmodSync(`${store}/${name}`, 0o555);
  chmodSync(store, 0o1775);
  return store;
}

/** Runs with a store, and an output directory that is not there yet. */
async function withStore(
  act: (lay: (changes?: Partial<LayOut>) => Promise<void>, to: string) => Promise<void>,
) {
  using directory = temporaryDirectory();
  const realStoreDir = makeStore(directory.path);
  const to = `${directory.path}/out`;
  const request: LayOut = {
    to,
    storeDir: '/nix/store',
    realStoreDir,
    names: new Set(['one', 'two', 'three']),
    onProgress: () => {},
    verify: async () => {},
  };
  try {
    await act((changes = {}) => layOut({ ...request, ...changes }), to);
  } finally {
    // Who is not root cannot remove what is in read-only directories.
    removeReadOnlyTree(directory.path);
    mkdirSync(directory.path);
  }
}

const modeOf = (path: string): string => (lstatSync(path).mode & 0o7777).toString(8);

test('only what was asked for, as it is in the store', () =>
  withStore(async (lay, to) => {
    await lay();
    assert.deepEqual(readdirSync(to), ['nix']);
    assert.deepEqual(readdirSync(`${to}/nix/store`).sort(), ['one', 'three', 'two']);
    assert.equal(readFileSync(`${to}/nix/store/three`, 'utf8'), 'a path that is a file');
    assert.equal(readlinkSync(`${to}/nix/store/two/link`), '/nix/store/one/file');
    const modes = ['', '/store', '/store/one', '/store/one/file', '/store/two/bin/tool'];
    assert.deepEqual(
      modes.map((path) => modeOf(`${to}/nix${path}`)),
      ['755', '755', '555', '444', '555'],
    );
  }));

test('hard links within it are kept, those out of it are not', () =>
  withStore(async (lay, to) => {
    await lay();
    const [file, twin] = ['one/file', 'two/bin/twin'].map((path) => lstatSync(`${to}/nix/store/${path}`));
    assert.equal(file?.ino, twin?.ino);
    assert.equal(file?.nlink, 2);
  }));

test('everything is of the time that Nix gives it', () =>
  withStore(async (lay, to) => {
    await lay();
    for (const path of ['', '/store', '/store/one', '/store/one/file', '/store/two/link', '/store/two'])
      assert.equal(lstatSync(`${to}/nix${path}`).mtimeMs, 1000, path);
  }));

test('a store elsewhere is laid out elsewhere', () =>
  withStore(async (lay, to) => {
    await lay({ storeDir: '/opt/a/store' });
    assert.deepEqual(readdirSync(to), ['opt']);
    assert.ok(existsSync(`${to}/opt/a/store/one/file`));
  }));

test('a store at the top, too', () =>
  withStore(async (lay, to) => {
    await lay({ storeDir: '/store' });
    assert.deepEqual(readdirSync(to), ['store']);
  }));

test('an empty directory is as good as none', () =>
  withStore(async (lay, to) => {
    mkdirSync(to);
    await lay();
    assert.deepEqual(readdirSync(to), ['nix']);
  }));

test('a directory with something in it is refused, and stays as it is', () =>
  withStore(async (lay, to) => {
    mkdirSync(to);
    writeFileSync(`${to}/mine`, '');
    const expected = isInitError({ exitCode: 64, stage: 'export', errno: 'ENOTEMPTY', what: /: mine$/ });
    await assert.rejects(lay(), expected);
    assert.deepEqual(readdirSync(to), ['mine']);
  }));

test('what a killed one left is no obstacle', () =>
  withStore(async (lay, to) => {
    mkdirSync(`${to}/.nix-cache-init-export/nix/store/half`, { recursive: true });
    chmodSync(`${to}/.nix-cache-init-export/nix/store/half`, 0o555);
    await lay();
    assert.deepEqual(readdirSync(to), ['nix']);
    assert.equal(existsSync(`${to}/nix/store/half`), false);
  }));

test('until it is verified it has no name, and what is not leaves nothing', () =>
  withStore(async (lay, to) => {
    const verify = async (store: string): Promise<void> => {
      assert.ok(existsSync(`${store}/one/file`));
      assert.equal(existsSync(`${to}/nix`), false);
      throw new Error('differs');
    };
    await assert.rejects(lay({ verify }), /differs/);
    assert.equal(existsSync(to), false);
    mkdirSync(to);
    await assert.rejects(lay({ verify }), /differs/);
    assert.deepEqual(readdirSync(to), []);
  }));

test('so does one that is interrupted, at each of its pieces', () =>
  withStore(async (lay, to) => {
    let pieces = 0;
    await lay({
      onProgress: () => {
        pieces += 1;
      },
    });
    assert.ok(pieces > 5);
    for (let until = 1; until <= pieces; until += 1) {
      let left = until;
      const onProgress = (): void => {
        left -= 1;
        if (left === 0) throw new Error('interrupted');
      };
      await assert.rejects(lay({ to: `${to}-${until}`, onProgress }), /interrupted/);
      assert.equal(existsSync(`${to}-${until}`), false);
    }
  }));

test('progress never goes past what it said', () =>
  withStore(async (lay) => {
    const said: [number, number][] = [];
    await lay({ onProgress: (done, total) => said.push([done, total]) });
    // Of a file with two names it says two, and copies one.
    assert.ok(said.length > 5);
    for (const [done, total] of said) assert.ok(done > 0 && done <= total, `${done} of ${total}`);
  }));
