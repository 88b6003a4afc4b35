import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Loss } from '../../../src/state/copy.ts';
import { describeLosses, toleratedLoss } from '../../../src/state/losses.ts';

test('what could not be kept is one line, whatever the number', () => {
  const owner = (path: string) => ({ path, what: 'owner' }) as const;
  const contents = (path: string) => ({ path, what: 'contents', error: new Error('EACCES') }) as const;
  assert.match(
    describeLosses([owner('a'), owner('b')]),
    /copied: 2 without the owners or groups they had\. This/,
  );
  const line = describeLosses([owner('a'), ...['b', 'c', 'd', 'e'].map(contents)]);
  assert.match(line, /: 1 without .*; 4 not at all, unreadable here \(b, c, d, …\)\. This user namespace/);
  assert.doesNotMatch(line, /\n/);
});

test('of the contents of the database nothing may be lost, of the rest anything', () => {
  const seen: string[] = [];
  const tolerate = toleratedLoss(({ path }: Loss) => seen.push(path));
  const error = new Error('EACCES');
  tolerate({ path: 'db/db.sqlite', what: 'owner' });
  for (const path of ['profiles/x', 'db/reserved']) tolerate({ path, what: 'contents', error });
  assert.deepEqual(seen, ['db/db.sqlite', 'profiles/x', 'db/reserved']);
  for (const path of ['db/db.sqlite', 'db/db.sqlite-wal', 'db/schema'])
    assert.throws(() => tolerate({ path, what: 'contents', error }), error);
});
