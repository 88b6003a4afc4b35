import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layerOf, lowerOf } from '../../../../src/state/reconcile/layers.ts';

for (const [what, names] of [
  ['in order', ['.links', 'a', 'b', 'd']],
  ['in none', ['d', 'b', '.links', 'a']],
  ['of one', ['b']],
  ['of none', []],
] as const) {
  test(`a directory that is listed ${what} has its names and no others`, () => {
    const layer = layerOf(names);
    for (const name of ['', '.links', 'a', 'aa', 'b', 'c', 'd', 'e'])
      assert.equal(layer.has(name), (names as readonly string[]).includes(name), name);
    assert.deepEqual([...(layer.values?.() ?? [])], names.toSorted());
  });
}

test('of several stores a name of the first is not lent', () => {
  const { lower, lent } = lowerOf([['a', 'b'], ['b', 'c'], ['c']]);
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((name) => [lower.has(name), lent?.has(name)]),
    [
      [true, false],
      [true, false],
      [true, true],
      [false, false],
    ],
  );
});
