import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baseOf } from '../../../../src/state/links/base.ts';
import { at, directoriesOf, links, type Merge, merged, mergedFrom } from './merging.ts';

type Expected = Record<string, string>;

/** Nothing has changed. */
function same(tree: Record<string, string>): Merge {
  return { base: tree, ours: tree, theirs: tree };
}

const root = 'gcroots/made-by-image';
const cases: [string, Merge, Expected][] = [
  ['an image that did not change changes nothing', same({ [root]: at('a') }), { [root]: at('a') }],
  [
    'what nobody touched follows the image',
    { base: { [root]: at('a') }, ours: { [root]: at('a') }, theirs: { [root]: at('b') } },
    { [root]: at('b') },
  ],
  ['what is new is added', { base: {}, ours: {}, theirs: { [root]: at('b') } }, { [root]: at('b') }],
  [
    'what the image lost is removed when it leads to a path that is gone',
    { base: { [root]: at('A') }, ours: { [root]: at('A') }, theirs: {} },
    {},
  ],
  [
    'what the image lost stays as long as it leads to a path that is there',
    { base: { [root]: at('a') }, ours: { [root]: at('a') }, theirs: {} },
    { [root]: at('a') },
  ],
  [
    "a user's change stays",
    { base: { [root]: at('a') }, ours: { [root]: at('u') }, theirs: { [root]: at('b') } },
    { [root]: at('u') },
  ],
  [
    "a user's link stays where the image comes to have one of that name",
    { base: {}, ours: { [root]: at('u') }, theirs: { [root]: at('b') } },
    { [root]: at('u') },
  ],
  [
    "a user's change that leads to a path that is gone gives way to the image's",
    { base: { [root]: at('a') }, ours: { [root]: at('U') }, theirs: { [root]: at('b') } },
    { [root]: at('b') },
  ],
  [
    "a user's link to a path that is gone stays where the image has nothing better",
    { base: { [root]: at('a') }, ours: { [root]: at('U') }, theirs: {} },
    { [root]: at('U') },
  ],
  [
    'what the user removed stays removed',
    { base: { [root]: at('a') }, ours: {}, theirs: { [root]: at('b') } },
    {},
  ],
  [
    "the user's own links are nobody else's affair, wherever they lead",
    {
      base: { [root]: at('a') },
      ours: { [root]: at('a'), 'gcroots/mine': at('U'), 'gcroots/auto/x': '/work/result' },
      theirs: {},
    },
    { [root]: at('a'), 'gcroots/mine': at('U'), 'gcroots/auto/x': '/work/result' },
  ],
  [
    'a file in the place of a link stays',
    { base: { [root]: at('a') }, ours: { [root]: '' }, theirs: { [root]: at('b') } },
    { [root]: 'other' },
  ],
  [
    'a root in a home directory or a project may lead anywhere: it follows the image, and is never called gone',
    {
      base: { 'gcroots/auto/x': '/root/old', 'gcroots/auto/y': '/root/gone' },
      ours: { 'gcroots/auto/x': '/root/old', 'gcroots/auto/y': '/root/gone' },
      theirs: { 'gcroots/auto/x': '/root/new' },
    },
    { 'gcroots/auto/x': '/root/new', 'gcroots/auto/y': '/root/gone' },
  ],
  [
    'links that lead to links follow the last of them',
    {
      base: { 'gcroots/x': '../profiles/p', 'profiles/p': 'q', 'profiles/q': at('A') },
      ours: { 'gcroots/x': '../profiles/p', 'profiles/p': 'q', 'profiles/q': at('A') },
      theirs: { 'profiles/q': at('b') },
    },
    { 'gcroots/x': '../profiles/p', 'profiles/p': 'q', 'profiles/q': at('b') },
  ],
  [
    'links in a circle lead to nothing',
    { base: {}, ours: { 'profiles/p': 'q', 'profiles/q': 'p' }, theirs: { 'profiles/p': at('b') } },
    { 'profiles/p': at('b'), 'profiles/q': 'p' },
  ],
  [
    'names and targets that are no UTF-8 are names like others',
    {
      base: { 'gcroots/caf\xe9': at('a') },
      ours: { 'gcroots/caf\xe9': at('a') },
      theirs: { 'gcroots/caf\xe9': at('b'), 'gcroots/\xff': '/h\xf6me' },
    },
    { 'gcroots/caf\xe9': at('b'), 'gcroots/\xff': '/h\xf6me' },
  ],
];

const firstLook: [string, Merge, Expected][] = [
  [
    'with nothing known, what the volume has is taken for its own',
    { ours: { [root]: at('u') }, theirs: { [root]: at('b') } },
    { [root]: at('u') },
  ],
  [
    'with nothing known, what it lacks is added',
    { ours: {}, theirs: { [root]: at('b') } },
    { [root]: at('b') },
  ],
  [
    'with nothing known, what leads to a path that is gone gives way, or goes',
    {
      ours: { [root]: at('U'), 'profiles/p': 'p-1-link', 'profiles/p-1-link': at('V') },
      theirs: { [root]: at('b') },
    },
    { [root]: at('b') },
  ],
  [
    'with nothing known, what leads to a project stays',
    { ours: { 'gcroots/auto/x': '/work/result' }, theirs: {} },
    { 'gcroots/auto/x': '/work/result' },
  ],
];

const directories: [string, Merge, Expected][] = [
  [
    'a link brings the directories that it is in, also those that a user removed',
    {
      base: { 'profiles/per-user/root': null },
      ours: {},
      theirs: { 'profiles/per-user/root/channels': at('b') },
    },
    { 'profiles/per-user/root/channels': at('b') },
  ],
  [
    "a user's link or file where the image has a directory stays, and nothing is put behind it",
    {
      base: {},
      ours: { 'profiles/x': '/home/me', 'profiles/y': '' },
      theirs: { 'profiles/x/p': at('b'), 'profiles/y/z/p': at('b') },
    },
    { 'profiles/x': '/home/me', 'profiles/y': 'other' },
  ],
  [
    'a link of the image that becomes a directory',
    { base: { 'profiles/x': at('a') }, ours: { 'profiles/x': at('a') }, theirs: { 'profiles/x/p': at('b') } },
    { 'profiles/x/p': at('b') },
  ],
  [
    'a directory of the image that becomes a link stays: it may have come to hold more',
    {
      base: { 'profiles/x/p': at('a') },
      ours: { 'profiles/x/p': at('a'), 'profiles/x/mine': at('u') },
      theirs: { 'profiles/x': at('b') },
    },
    { 'profiles/x/p': at('a'), 'profiles/x/mine': at('u') },
  ],
];

for (const [name, merge, expected] of [...cases, ...firstLook, ...directories])
  test(name, () => assert.deepEqual(merged(merge), expected));

test('directories that are new come along; those that a user removed do not come back', () => {
  const theirs = links({ 'profiles/old': null, 'profiles/new/sub': null });
  const { volume } = mergedFrom([baseOf(links({ 'profiles/old': null }))], links({}), theirs);
  assert.deepEqual(directoriesOf(volume), ['gcroots', 'profiles', 'profiles/new', 'profiles/new/sub']);
});

test('a directory comes with the owner and mode that it has in the image', () => {
  const theirs = new Map(links({}));
  const mine = { kind: 'directory', mode: 0o1777, uid: 7, gid: 8 } as const;
  theirs.set('profiles/per-user', mine);
  const { volume } = mergedFrom([baseOf(links({}))], links({}), theirs);
  assert.deepEqual(volume.get('profiles/per-user'), mine);
});
