import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMountInfo } from '../../../../src/linux/mountinfo.ts';
import {
  absentName,
  autoNameOf,
  type IndirectRoot,
  isMounted,
  markOf,
  outlivesContainer,
} from '../../../../src/state/indirect/roots.ts';
import { MAX_ABSENT, type SettleRequest, settle } from '../../../../src/state/indirect/settle.ts';

const line = (root: string, target: string, type = 'ext4') =>
  `1 0 8:1 ${root} ${target} rw - ${type} /dev/sda1 rw`;
const mountsOf = (...lines: string[]) => parseMountInfo(lines.join('\n'));

const storePath = `/nix/store/${'a'.repeat(32)}-hello`;
const root: IndirectRoot = {
  auto: 'x1',
  target: '/work/result',
  storePath,
  mount: { target: '/work', source: 'ext4 /dev/sda1 /home/me/a' },
};
const waiting = { ...root, absentSince: 5 };
const mounted = mountsOf(line('/', '/', 'overlay'), line('/home/me/a', '/work'));
const another = mountsOf(line('/', '/', 'overlay'), line('/home/me/b', '/work'));
const nothing = mountsOf(line('/', '/', 'overlay'));

const settled = (changes: Partial<SettleRequest>) =>
  settle({ roots: [root], mounts: mounted, storePathOf: () => null, isKept: () => true, now: 7, ...changes });

const waits = { there: [], absent: [{ ...root, absentSince: 7 }], given: [] };
const stillWaits = { there: [], absent: [waiting], given: [] };
const isThere = { there: [root], absent: [], given: [] };
const isGone = { there: [], absent: [], given: [] };

const cases: [string, Partial<SettleRequest>, ReturnType<typeof settle>][] = [
  ['a root whose link is there is there', { storePathOf: () => storePath }, isThere],
  ['a root that waited is back', { roots: [waiting], storePathOf: () => storePath }, isThere],
  ['a root whose project is not mounted waits', { mounts: nothing }, waits],
  ['a root whose place another project has taken waits', { mounts: another }, waits],
  [
    'a root whose place another project has taken, with a result of its own, waits',
    { mounts: another, storePathOf: () => `${storePath}-other` },
    waits,
  ],
  ['a root that waits goes on waiting', { roots: [waiting], mounts: nothing }, stillWaits],
  [
    'a root that waits, whose link in gcroots/absent a user removed, is given up',
    { roots: [waiting], mounts: nothing, isKept: () => false },
    isGone,
  ],
  ['a root whose link the user removed is gone', {}, isGone],
  ['a root that waited for a project without its link is gone', { roots: [waiting] }, isGone],
  ['a root whose link leads elsewhere now is gone', { storePathOf: () => `${storePath}-other` }, isGone],
  ['a root on a mount that does not answer waits', { storePathOf: () => undefined }, waits],
  [
    'a project that was moved, or is on a disk with another name, is known by its link',
    { roots: [waiting], mounts: another, storePathOf: () => storePath },
    isThere,
  ],
];

for (const [name, changes, expected] of cases) test(name, () => assert.deepEqual(settled(changes), expected));

test('of too many that wait, the ones that have waited longest are given up', () => {
  const roots = Array.from({ length: MAX_ABSENT + 2 }, (_, index) => ({
    ...root,
    auto: `x${index}`,
    absentSince: 1000 - index,
  }));
  const { absent, given } = settled({ roots, mounts: nothing });
  assert.equal(absent.length, MAX_ABSENT);
  assert.deepEqual(
    given.map(({ auto }) => auto),
    [`x${MAX_ABSENT}`, `x${MAX_ABSENT + 1}`],
  );
});

test('mounts are told by what is mounted and where', () => {
  assert.ok(isMounted(root.mount, mounted));
  assert.ok(!isMounted(root.mount, another));
  assert.ok(!isMounted(root.mount, mountsOf(line('/home/me/a', '/elsewhere'))));
});

test('file systems that go with the container are told from those that stay', () => {
  const stays = (text: string): boolean => mountsOf(text).every(outlivesContainer);
  assert.deepEqual(
    [
      ...[line('/home/me/a', '/work'), line('/', '/data'), line('/project', '/work', 'tmpfs')],
      ...[line('/', '/', 'overlay'), line('/', '/tmp', 'tmpfs')],
    ].map(stays),
    [true, true, true, false, false],
  );
});

test('the name of a direct root tells two projects at one place from each other, and whose it is', () => {
  const other = { ...root, storePath: `/nix/store/${'b'.repeat(32)}-hello` };
  assert.notEqual(absentName(root), absentName(other));
  for (const name of ['x1', 'with-hyphen', '\xff']) {
    assert.equal(autoNameOf(absentName({ ...root, auto: name })), name);
  }
  assert.equal(autoNameOf('something-else'), undefined);
  assert.equal(markOf(mounted[1] ?? assert.fail()).source, root.mount.source);
});
