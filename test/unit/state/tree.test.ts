import assert from 'node:assert/strict';
import { chmodSync, linkSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { entryPath, listTree } from '../../../src/state/tree.ts';
import { temporaryDirectory } from '../fixtures.ts';

const all = (): boolean => false;

/** 1 to 255 but the slash: as long as a name can be, but one. */
const everyByte = Buffer.from(
  Array.from({ length: 255 }, (_, index) => index + 1).filter((byte) => byte !== 0x2f),
);

test('parents come before their children, and the root first', () => {
  using directory = temporaryDirectory();
  mkdirSync(`${directory.path}/a/b/c`, { recursive: true });
  writeFileSync(`${directory.path}/a/b/f`, '');
  const paths = listTree(directory.path, all).map(({ path }) => path);
  assert.equal(paths[0], '');
  assert.deepEqual([...paths].sort(), ['', 'a', 'a/b', 'a/b/c', 'a/b/f']);
  for (const path of paths.slice(1)) {
    const parent = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
    assert.ok(paths.indexOf(parent) < paths.indexOf(path), path);
  }
});

test('what is left out is left out with everything below', () => {
  using directory = temporaryDirectory();
  mkdirSync(`${directory.path}/out/below`, { recursive: true });
  mkdirSync(`${directory.path}/in/out`, { recursive: true });
  const paths = listTree(directory.path, (path) => path === 'out').map(({ path }) => path);
  assert.deepEqual(paths.sort(), ['', 'in', 'in/out']);
});

test('an entry has what lstat says', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/file`;
  writeFileSync(path, 'twelve bytes');
  chmodSync(path, 0o4751);
  const stat = lstatSync(path, { bigint: true });
  assert.deepEqual(listTree(directory.path, all)[1], {
    path: 'file',
    kind: 'file',
    mode: 0o4751,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: 12,
    atimeNs: stat.atimeNs,
    mtimeNs: stat.mtimeNs,
  });
});

test('symlinks are listed and not followed', () => {
  using directory = temporaryDirectory();
  mkdirSync(`${directory.path}/real`);
  writeFileSync(`${directory.path}/real/file`, '');
  symlinkSync('real', `${directory.path}/to-directory`);
  symlinkSync('nowhere', `${directory.path}/to-nowhere`);
  symlinkSync('.', `${directory.path}/to-itself`);
  const kinds = Object.fromEntries(listTree(directory.path, all).map(({ path, kind }) => [path, kind]));
  assert.deepEqual(kinds, {
    '': 'directory',
    real: 'directory',
    'real/file': 'file',
    'to-directory': 'symlink',
    'to-nowhere': 'symlink',
    'to-itself': 'symlink',
  });
});

test('the names of one file share a link, and no other file has one', () => {
  using directory = temporaryDirectory();
  writeFileSync(`${directory.path}/a`, '');
  linkSync(`${directory.path}/a`, `${directory.path}/b`);
  writeFileSync(`${directory.path}/c`, '');
  const links = new Map(listTree(directory.path, all).map(({ path, link }) => [path, link]));
  assert.equal(typeof links.get('a'), 'string');
  assert.equal(links.get('a'), links.get('b'));
  assert.equal(links.get('c'), undefined);
  assert.equal(links.get(''), undefined);
});

const names: [string, Buffer, string][] = [
  ['plain', Buffer.from('plain'), 'plain'],
  ['UTF-8', Buffer.from('ö'), '\u00c3\u00b6'],
  ['Latin-1', Buffer.from([0xf6]), '\u00f6'],
  ['every byte that a name may have', everyByte, everyByte.toString('latin1')],
];

for (const [kind, name, path] of names) {
  test(`a name is listed as its bytes, and found again by them: ${kind}`, () => {
    using directory = temporaryDirectory();
    // The root's own path is text, and not ASCII either.
    const root = `${directory.path}/wörzel`;
    mkdirSync(root);
    const file = Buffer.concat([Buffer.from(`${root}/`), name]);
    writeFileSync(file, '');
    assert.deepEqual(
      listTree(root, all).map((entry) => entry.path),
      ['', path],
    );
    assert.deepEqual(entryPath(root, path), file);
    assert.ok(lstatSync(entryPath(root, '')).isDirectory());
  });
}

test('a socket is something else', async () => {
  using directory = temporaryDirectory();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${directory.path}/socket`, resolve));
  assert.equal(listTree(directory.path, all)[1]?.kind, 'other');
  server.close();
});

test('a tree that is not there fails with its errno', () => {
  assert.throws(() => listTree('/nonexistent/tree', all), { code: 'ENOENT' });
});
