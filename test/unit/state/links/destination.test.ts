import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Destination, follow } from '../../../../src/state/links/destination.ts';
import { at, links, places } from './merging.ts';

const store: Destination = { kind: 'store', name: at('a').slice('/nix/store/'.length) };

const cases: [string, string, Record<string, string>, Destination][] = [
  ['into the store', 'gcroots/x', { 'gcroots/x': at('a') }, store],
  ['into a store path', 'gcroots/x', { 'gcroots/x': `${at('a')}/bin/sh` }, store],
  ['to the store itself', 'gcroots/x', { 'gcroots/x': '/nix/store' }, { kind: 'elsewhere' }],
  [
    'to a name that only begins like it',
    'gcroots/x',
    { 'gcroots/x': '/nix/stores/a' },
    { kind: 'elsewhere' },
  ],
  ['to a project', 'gcroots/x', { 'gcroots/x': '/work/result' }, { kind: 'elsewhere' }],
  ['to a directory', 'gcroots/profiles', { 'gcroots/profiles': '/nix/var/nix/profiles' }, { kind: 'state' }],
  ['to other state', 'gcroots/x', { 'gcroots/x': '/nix/var/nix/db/db.sqlite' }, { kind: 'elsewhere' }],
  ['to nothing', 'profiles/p', { 'profiles/p': 'p-1-link' }, { kind: 'nowhere' }],
  ['to itself', 'profiles/p', { 'profiles/p': 'p' }, { kind: 'nowhere' }],
  [
    'relatively, through directories that are links themselves',
    'gcroots/x',
    {
      'gcroots/x': 'profiles/per-user/me/p/share',
      'gcroots/profiles': '../profiles',
      'profiles/per-user/me': '/nix/var/nix/profiles/you',
      'profiles/you/p': '../p',
      'profiles/p': at('a'),
    },
    store,
  ],
];

for (const [name, path, tree, expected] of cases)
  test(`a link leads ${name}`, () =>
    assert.deepEqual(follow(path, links(tree), places).destination, expected));
