import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { setTimes } from '../../../src/linux/times.ts';
import { listTree } from '../../../src/state/tree.ts';
import { copied } from './copied.ts';

test('symlinks with their text, also where it is no UTF-8 or leads nowhere', async () => {
  const text = Buffer.from([0x2f, 0xff, 0xfe]);
  const fill = (from: string): void => {
    symlinkSync(text, `${from}/odd`);
    symlinkSync('../nowhere', `${from}/broken`);
    setTimes(Buffer.from(`${from}/broken`), 1n, 7_000_000_007n);
  };
  await copied(fill, (_, to) => {
    assert.deepEqual(readlinkSync(`${to}/odd`, 'buffer'), text);
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

// Latin-1 é, a truncated UTF-8 sequence, and a whole one.
const odd = [Buffer.from([0xe9]), Buffer.from([0x61, 0xe2, 0x82]), Buffer.from('ö€')];

test('names that are no UTF-8 are copied as they are, with contents, links and what is below', async () => {
  const fill = (from: string): void => {
    for (const [index, name] of odd.entries()) {
      const path = Buffer.concat([Buffer.from(`${from}/`), name]);
      mkdirSync(path);
      const file = Buffer.concat([path, Buffer.from('/'), name]);
      writeFileSync(file, `contents ${index}`);
      linkSync(file, Buffer.concat([path, Buffer.from('/hard')]));
      symlinkSync(name, Buffer.concat([path, Buffer.from('/soft')]));
      setTimes(file, 1n, -1_500_000_000n);
    }
  };
  await copied(fill, (from, to) => {
    const paths = (tree: string): string[] => listTree(tree, () => false).map(({ path }) => path);
    assert.deepEqual(paths(to).sort(), paths(from).sort());
    assert.equal(paths(to).length, 1 + 4 * odd.length);
    for (const [index, name] of odd.entries()) {
      const path = Buffer.concat([Buffer.from(`${to}/`), name, Buffer.from('/')]);
      const file = Buffer.concat([path, name]);
      assert.equal(lstatSync(file, { bigint: true }).mtimeNs, -1_500_000_000n);
      assert.equal(lstatSync(file).ino, lstatSync(Buffer.concat([path, Buffer.from('hard')])).ino);
      assert.deepEqual(readlinkSync(Buffer.concat([path, Buffer.from('soft')]), 'buffer'), name);
      assert.equal(readFileSync(file, 'utf8'), `contents ${index}`);
    }
  });
});
