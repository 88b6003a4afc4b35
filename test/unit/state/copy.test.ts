import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { setTimes } from '../../../src/linux/times.ts';
import { hasXattr, setXattr } from '../../../src/linux/xattrs.ts';
import { copyTree } from '../../../src/state/copy.ts';
import { listTree } from '../../../src/state/tree.ts';
import { temporaryDirectory } from '../fixtures.ts';
import { copied } from './copied.ts';

const root = process.geteuid?.() === 0;

test('contents, modes and times to the nanosecond, of files and directories', async () => {
  const fill = (from: string): void => {
    mkdirSync(`${from}/inner`);
    writeFileSync(`${from}/inner/file`, 'contents');
    chmodSync(`${from}/inner/file`, 0o4640);
    setTimes(Buffer.from(`${from}/inner/file`), 1_700_000_000_000_000_001n, 1_600_000_000_123_456_789n);
    // Older than what is in it, and read-only: for root only, the others could not fill the copy.
    chmodSync(`${from}/inner`, root ? 0o2550 : 0o2750);
    setTimes(Buffer.from(`${from}/inner`), 2_000_000_001n, 3_000_000_003n);
    setTimes(Buffer.from(from), 4_000_000_004n, 5_000_000_005n);
  };
  await copied(fill, (from, to) => {
    for (const name of ['', '/inner', '/inner/file']) {
      const [source, target] = [from, to].map((tree) => lstatSync(`${tree}${name}`, { bigint: true }));
      assert.ok(source && target);
      const { mode, mtimeNs, uid, gid } = source;
      assert.deepEqual(
        [target.mode, target.mtimeNs, target.uid, target.gid],
        [mode, mtimeNs, uid, gid],
        name,
      );
    }
    assert.equal(lstatSync(`${to}/inner/file`, { bigint: true }).atimeNs, 1_700_000_000_000_000_001n);
    // Last: reading moves the time of access.
    assert.equal(readFileSync(`${to}/inner/file`, 'utf8'), 'contents');
  });
});

test('times before 1970, fractions and all', async () => {
  const [atime, mtime] = [-315_619_199_500_000_000n, -1n];
  const fill = (from: string): void => {
    mkdirSync(`${from}/inner`);
    writeFileSync(`${from}/file`, '');
    symlinkSync('file', `${from}/link`);
    for (const name of ['inner', 'file', 'link']) setTimes(Buffer.from(`${from}/${name}`), atime, mtime);
  };
  await copied(fill, (_, to) => {
    for (const name of ['inner', 'file', 'link']) {
      const { atimeNs, mtimeNs } = lstatSync(`${to}/${name}`, { bigint: true });
      // Listing a directory, as copying does, moves its time of access; a symlink's moves when it is read.
      assert.deepEqual(
        name === 'file' ? [atimeNs, mtimeNs] : mtimeNs,
        name === 'file' ? [atime, mtime] : mtime,
      );
    }
  });
});

test('owners, and set-id bits in spite of them', { skip: root ? false : 'needs root: chown' }, async () => {
  const fill = (from: string): void => {
    writeFileSync(`${from}/file`, '');
    chownSync(`${from}/file`, 1234, 5678);
    chmodSync(`${from}/file`, 0o6755);
  };
  await copied(fill, (_, to) => {
    const { uid, gid, mode } = lstatSync(`${to}/file`);
    assert.deepEqual([uid, gid, mode & 0o7777], [1234, 5678, 0o6755]);
  });
});

test('an empty file and one of several pieces come out whole', async () => {
  // More than copyTree takes at once, and no multiple of it.
  const large = Buffer.alloc(20 * 1024 * 1024 + 17, 'nix');
  const fill = (from: string): void => {
    writeFileSync(`${from}/empty`, '');
    writeFileSync(`${from}/large`, large);
  };
  await copied(fill, (_, to) => {
    assert.equal(readFileSync(`${to}/empty`).length, 0);
    assert.ok(readFileSync(`${to}/large`).equals(large));
  });
});

test('a file that is in the way is not overwritten', async () => {
  using directory = temporaryDirectory();
  const from = `${directory.path}/from`;
  mkdirSync(from);
  writeFileSync(`${from}/file`, 'new');
  writeFileSync(`${directory.path}/target`, 'old');
  const entries = listTree(from, () => false).filter(({ path }) => path === 'file');
  symlinkSync('../target', `${directory.path}/file`);
  await assert.rejects(
    copyTree(from, directory.path, entries, () => {}),
    { code: 'EEXIST' },
  );
  assert.equal(readFileSync(`${directory.path}/target`, 'utf8'), 'old');
});

test('contents alone: modes are kept, owners and attributes are whoever copies’', {
  skip: !root && 'takes root',
}, async () => {
  using directory = temporaryDirectory();
  const [from, to] = [`${directory.path}/from`, `${directory.path}/to`];
  mkdirSync(`${from}/inner`, { recursive: true });
  writeFileSync(`${from}/inner/file`, 'contents', { mode: 0o444 });
  chownSync(`${from}/inner/file`, 1234, 5678);
  chownSync(`${from}/inner`, 1234, 5678);
  setXattr(`${from}/inner/file`, 'user.note', 'left out');
  chmodSync(`${from}/inner`, 0o555);
  const entries = listTree(from, () => false);
  await copyTree(from, to, entries, () => {}, { keep: 'contents' });
  for (const [name, mode] of [
    ['inner', 0o555],
    ['inner/file', 0o444],
  ] as const) {
    const stat = lstatSync(`${to}/${name}`);
    assert.deepEqual([stat.mode & 0o7777, stat.uid, stat.gid], [mode, 0, 0], name);
  }
  assert.equal(hasXattr(`${to}/inner/file`, 'user.note'), false);
});
