import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAlready, resolveUser } from '../../../src/supervise/identity.ts';
import { isInitError, makeCredentials } from '../fixtures.ts';

// What every /etc/passwd has; what depends on a file of ours is tested in namespaces.
test('root by name and by number is the same', () => {
  const root = resolveUser('root');
  assert.deepEqual([root.uid, root.gid, root.name, root.groups[0]], [0, 0, 'root', 0]);
  assert.deepEqual(resolveUser('0'), root);
});

test('a number that nobody has is a user with gid 0 and no home', () => {
  assert.deepEqual(resolveUser('3999999999'), { uid: 3999999999, gid: 0, groups: [0], home: '/' });
  assert.deepEqual(resolveUser('3999999999:4711'), {
    uid: 3999999999,
    gid: 4711,
    groups: [4711],
    home: '/',
  });
});

test('an unknown name is refused with 78 and the nearest', () => {
  assert.throws(
    () => resolveUser('rooot'),
    isInitError({
      exitCode: 78,
      stage: 'config',
      errno: 'ENOENT',
      what: /rooot/,
      remedy: /did you mean root\?/,
    }),
  );
  assert.throws(() => resolveUser('root:rooot'), isInitError({ exitCode: 78, what: /group rooot/ }));
  // Too large for an ID, so a name.
  assert.throws(() => resolveUser('4294967295'), isInitError({ exitCode: 78 }));
});

const alice = { uid: 1000, gid: 1001, groups: [1001, 27], home: '/home/alice' };
const own = makeCredentials({ uids: [1000, 1000, 1000], gids: [1001, 1001, 1001], groups: [27] });

test('credentials are already those of the same user, also with more groups', () => {
  assert.ok(isAlready(alice, own));
  assert.ok(isAlready(alice, { ...own, groups: [1001, 27, 99] }));
});

test('they are not with another ID anywhere, or a group that is missing', () => {
  assert.ok(!isAlready({ ...alice, uid: 1002 }, own));
  assert.ok(!isAlready(alice, { ...own, uids: [1000, 1000, 0] }));
  assert.ok(!isAlready(alice, { ...own, gids: [0, 1001, 1001] }));
  assert.ok(!isAlready(alice, { ...own, groups: [] }));
});
