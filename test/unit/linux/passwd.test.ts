import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGroup, parseId, parsePasswd } from '../../../src/linux/passwd.ts';

test('a line of passwd gives name, IDs and home', () => {
  const text = 'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1001:Alice,,,:/home/alice:/bin/sh\n';
  assert.deepEqual(parsePasswd(text), [
    { name: 'root', uid: 0, gid: 0, home: '/root' },
    { name: 'alice', uid: 1000, gid: 1001, home: '/home/alice' },
  ]);
});

test('no home is the root directory, and no last line end is no error', () => {
  assert.deepEqual(parsePasswd('nobody:x:65534:65534'), [
    { name: 'nobody', uid: 65534, gid: 65534, home: '/' },
  ]);
  assert.equal(parsePasswd('nobody:x:65534:65534:::')[0]?.home, '/');
});

test('comments, blank lines and lines that make no sense are passed over', () => {
  const text = '# a comment\n\n   \n:x:1:1::/:\nx\nbad:x:one:1::/:\nworse:x:1:-1::/:\n+nis\ngood:x:1:1::/:';
  assert.deepEqual(
    parsePasswd(text).map(({ name }) => name),
    ['good'],
  );
});

test('a line of group gives name, ID and members', () => {
  assert.deepEqual(parseGroup('root:x:0:\nextra:x:27:bob,alice\nodd:x:28:,bob,\nshort:x:29\nbad:x::bob\n'), [
    { name: 'root', gid: 0, members: [] },
    { name: 'extra', gid: 27, members: ['bob', 'alice'] },
    { name: 'odd', gid: 28, members: ['bob'] },
    { name: 'short', gid: 29, members: [] },
  ]);
});

const ids: [string, number | undefined][] = [
  ['0', 0],
  ['1000', 1000],
  ['007', 7],
  ['4294967294', 4294967294],
  // (uid_t)-1 means "leave it as it is" to the kernel.
  ['4294967295', undefined],
  ['99999999999', undefined],
  ['-1', undefined],
  ['+1', undefined],
  ['1.0', undefined],
  ['1e3', undefined],
  ['0x10', undefined],
  ['', undefined],
  [' 1', undefined],
  ['root', undefined],
];

for (const [text, expected] of ids) {
  test(`${JSON.stringify(text)} is ${expected === undefined ? 'no ID' : `ID ${expected}`}`, () =>
    assert.equal(parseId(text), expected));
}
