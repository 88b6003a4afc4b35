import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPerBoot, perBootParts } from '../../../src/state/parts.ts';

// DESIGN §6, both columns of its table.
const persists = [
  '',
  'db',
  'db/db.sqlite',
  'db/db.sqlite-wal',
  'db/schema',
  'db/reserved',
  'profiles',
  'profiles/default-1-link',
  'profiles/per-user/root/profile',
  'gcroots',
  'gcroots/auto',
  'gcroots/per-user',
  'gcroots/mine',
  'gcroots/builds',
  'profiles/temproots',
  'builds-of-mine',
  'userpool-notes',
];

const fresh = [
  'temproots',
  'temproots/17',
  'gc-socket',
  'gc-socket/socket',
  'daemon-socket',
  'daemon-socket/socket',
  'gc-roots-socket',
  'gc-roots-socket/socket',
  'userpool',
  'userpool/30001',
  'userpool2',
  'userpool2/slot-0',
  'builds',
  'builds/nix-1-2/source',
  'gc.lock',
  'db/big-lock',
  // SQLite rebuilds this index from the log; a stale one would be believed.
  'db/db.sqlite-shm',
];

for (const path of persists)
  test(`${path || 'the root'} persists`, () => assert.equal(isPerBoot(path), false));
for (const path of fresh) test(`${path} is for one boot`, () => assert.equal(isPerBoot(path), true));

test('none of the parts is a path: they are cleared whole', () => {
  for (const part of perBootParts) assert.doesNotMatch(part, /\/|^\.*$/);
});
