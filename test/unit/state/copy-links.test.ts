import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { linkSync, lstatSync, mkdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimes } from '../../../src/linux/files.ts';
import { listTree } from '../../../src/state/tree.ts';
import { copied } from './copied.ts';

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

test('a name that is no UTF-8 is copied', {
  todo: 'readdir decodes names, and then lstat finds none',
}, async () => {
  const fill = (from: string): void =>
    writeFileSync(Buffer.concat([Buffer.from(`${from}/`), Buffer.from([0xe9])]), '');
  await copied(fill, (_, to) => assert.equal(listTree(to, () => false).length, 2));
});
