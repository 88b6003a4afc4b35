import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Roots } from '../../model/roots.ts';

function withProject(): Roots {
  const roots = new Roots();
  roots.add('result', 'project', 'app');
  return roots;
}

test('a root holds its path, until it is removed', () => {
  const roots = new Roots();
  roots.add('mine', 'direct', 'app');
  assert.deepEqual(roots.held(false), { surely: ['app'], maybe: [] });
  roots.remove('mine');
  assert.deepEqual(roots.held(true), { surely: [], maybe: [] });
});

test('a project that init has seen holds its paths while it is away', () => {
  const roots = withProject();
  assert.deepEqual(roots.held(true), { surely: ['app'], maybe: [] });
  assert.deepEqual(roots.held(false), { surely: [], maybe: ['app'] });
  roots.looked(true);
  roots.collected(false);
  assert.deepEqual(roots.held(false), { surely: ['app'], maybe: [] });
});

test('one that init has never seen is lost to a collection without it', () => {
  const roots = withProject();
  roots.looked(false);
  roots.collected(false);
  roots.looked(true);
  assert.deepEqual(roots.held(true), { surely: [], maybe: ['app'] });
});

test('a removed one may hold its path until init has seen that', () => {
  const roots = withProject();
  roots.looked(true);
  roots.remove('result');
  assert.deepEqual(roots.names(), []);
  assert.deepEqual(roots.held(false), { surely: [], maybe: ['app'] });
  roots.looked(false);
  assert.deepEqual(roots.held(true), { surely: [], maybe: ['app'] });
  roots.looked(true);
  assert.deepEqual(roots.held(true), { surely: [], maybe: [] });
});
