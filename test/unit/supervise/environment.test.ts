import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environmentOf } from '../../../src/supervise/privileged-spawn.ts';

const alice = { uid: 1000, gid: 1001, groups: [1001], name: 'alice', home: '/home/alice' };
const nameless = { uid: 4711, gid: 0, groups: [0], home: '/' };

const edit = (identity: typeof alice | typeof nameless, ...entries: string[]): string[] =>
  environmentOf(
    identity,
    entries.map((entry) => Buffer.from(entry, 'latin1')),
  ).map((entry) => entry.toString('latin1'));

test('HOME is the user’s, where it was or at the end', () => {
  assert.deepEqual(edit(alice, 'A=1', 'HOME=/root', 'B=2'), ['A=1', 'HOME=/home/alice', 'B=2']);
  assert.deepEqual(edit(alice, 'A=1'), ['A=1', 'HOME=/home/alice']);
  assert.deepEqual(edit(nameless), ['HOME=/']);
});

test('USER and LOGNAME change only where they are set, and the user has a name', () => {
  const both = ['USER=root', 'LOGNAME=root', 'HOME=/root'];
  assert.deepEqual(edit(alice, ...both), ['USER=alice', 'LOGNAME=alice', 'HOME=/home/alice']);
  assert.deepEqual(edit(nameless, ...both), ['USER=root', 'LOGNAME=root', 'HOME=/']);
});

test('what only looks alike, says nothing or is no UTF-8 stays', () => {
  const odd = ['HOMEPAGE=x', 'XHOME=y', 'HOME', 'USERS=', '', 'BYTES=\xff\xfe', '=x'];
  assert.deepEqual(edit(alice, ...odd), [...odd, 'HOME=/home/alice']);
});

test('a HOME that is set twice is the same twice', () => {
  assert.deepEqual(edit(alice, 'HOME=/a', 'HOME=/b'), ['HOME=/home/alice', 'HOME=/home/alice']);
});
