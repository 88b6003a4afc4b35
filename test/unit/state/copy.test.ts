import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { setTimes } from '../../../src/linux/files.ts';
import { copyTree } from '../../../src/state/copy.ts';
import { listTree } from '../../../src/state/tree.ts';
import { temporaryDirectory } from '../fixtures.ts';

const root = process.geteuid?.() === 0;

/** Fills a tree, copies it, and hands both to the comparison. */
async function copied(
  fill: (from: string) => void,
  compare: (from: string, to: string) => void,
): Promise<void> {
  using directory = temporaryDirectory();
  const from = `${directory.path}/from`;
  const to = `${directory.path}/to`;
  mkdirSync(from);
  fill(from);
  await copyTree(
    from,
    to,
    listTree(from, () => false),
    () => {},
  );
  compare(from, to);
}

test('contents, modes and times to the nanosecond, of files and directories', async () => {
  const fill = (from: string): void => {
    mkdirSync(`${from}/inner`);
    writeFileSync(`${from}/inner/file`, 'contents');
    chmodSync(`${from}/inner/file`, 0o4640);
    setTimes(`${from}/inner/file`, 1_700_000_000_000_000_001n, 1_600_000_000_123_456_789n);
    // Older than what is in it, and read-only: for root only, the others could not fill the copy.
    chmodSync(`${from}/inner`, root ? 0o2550 : 0o2750);
    setTimes(`${from}/inner`, 2_000_000_001n, 3_000_000_003n);
    setTimes(from, 4_000_000_004n, 5_000_000_005n);
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

test('symlinks with their text, also where it is no UTF-8 or leads nowhere', async () => {
  const odd = Buffer.from([0x2f, 0xff, 0xfe]);
  const fill = (from: string): void => {
    symlinkSync(odd, `${from}/odd`);
    symlinkSync('../nowhere', `${from}/broken`);
    setTimes(`${from}/broken`, 1n, 7_000_000_007n);
  };
  await copied(fill, (_, to) => {
    assert.deepEqual(readlinkSync(`${to}/odd`, 'buffer'), odd);
    assert.equal(readlinkSync(`${to}/broken`), '../nowhere');
    assert.equal(lstatSync(`${to}/broken`, { bigint: true }).mtimeNs, 7_000_000_007n);
  });
});

test('hard links stay links among themselves, and none leads back', async () => {
  const fill = (from: string): void => {
    writeFileSync(`${from}/a`, 'x');
    mkdirSync(`${from}/z`);
    linkSync(`${from}/a`, `${from}/z/b`);
  };
  await copied(fill, (from, to) => {
    const [a, b, source] = [`${to}/a`, `${to}/z/b`, `${from}/a`].map((path) => lstatSync(path));
    assert.equal(a?.ino, b?.ino);
    assert.equal(a?.nlink, 2);
    assert.notEqual(a?.ino, source?.ino);
  });
});

test('a pipe is left out', async () => {
  const fill = (from: string): void => {
    execFileSync('mkfifo', [`${from}/pipe`]);
    writeFileSync(`${from}/file`, '');
  };
  await copied(fill, (_, to) => {
    const paths = listTree(to, () => false).map(({ path }) => path);
    assert.deepEqual(paths, ['', 'file']);
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
