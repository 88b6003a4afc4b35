import assert from 'node:assert/strict';
import { test } from 'node:test';
import { difference } from '../../../src/binary-cache/difference.ts';
import type { Entry, Links } from '../../../src/state/links/links.ts';
import { type LinkChange, withChanges } from '../../../src/state/links/plan.ts';

const link = (target: string): Entry => ({ kind: 'symlink', target, uid: 0, gid: 0 });
const directory: Entry = { kind: 'directory', mode: 0o755, uid: 0, gid: 0 };
const other: Entry = { kind: 'other' };
const links = (entries: Record<string, Entry>): Links => new Map(Object.entries(entries));

const cases: [string, Record<string, Entry>, Record<string, Entry>, string[]][] = [
  ['nothing changes', { a: link('x'), d: directory }, { a: link('x'), d: directory }, []],
  ['a link is new', {}, { a: link('x') }, ['link a']],
  ['a link leads elsewhere', { a: link('x') }, { a: link('y') }, ['link a']],
  ['a link is gone', { a: link('x') }, {}, ['remove a']],
  [
    'a directory comes before what is in it',
    {},
    { 'd/a': link('x'), d: directory },
    ['directory d', 'link d/a'],
  ],
  ['a link becomes a directory', { d: link('x') }, { d: directory }, ['remove d', 'directory d']],
  ['a directory stays', { d: directory, 'd/a': link('x') }, {}, ['remove d/a']],
  ["somebody's file is in the way", { a: other }, { a: link('x') }, []],
  ["somebody's directory is in the way", { a: directory }, { a: link('x') }, []],
  ['what is neither is not made', {}, { a: other }, []],
];

const named = (changes: readonly LinkChange[]): string[] => changes.map((one) => `${one.do} ${one.path}`);

for (const [name, present, wanted, expected] of cases) {
  test(name, () => {
    const changes = difference(links(present), links(wanted));
    assert.deepEqual(named(changes), expected);
    // Once made there is nothing left to do.
    assert.deepEqual(difference(withChanges(links(present), changes), links(wanted)), []);
  });
}
