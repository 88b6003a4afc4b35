import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { layerOf, lowerOf, touchesLower } from '../../../../src/state/reconcile/layers.ts';
import { temporaryDirectory } from '../../fixtures.ts';

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

const storeName = (letter: string): string => `${letter.repeat(32)}-${letter}`;

for (const [how, many] of [
  ['one after the other', 100],
  ['by a listing', 1],
] as const) {
  test(`whether the upper directory has a path of a lower is found ${how}`, () => {
    using directory = temporaryDirectory();
    const [upper, image, lower] = ['upper', 'image', 'lower'].map((name) => `${directory.path}/${name}`);
    assert.ok(upper && image && lower);
    for (const path of [upper, image, lower]) mkdirSync(path);
    // Nix's own, in all of them.
    for (const path of [upper, image, lower]) mkdirSync(`${path}/.links`);
    mkdirSync(`${upper}/${storeName('a')}`);
    mkdirSync(`${image}/${storeName('b')}`);
    assert.equal(touchesLower(upper, [image, lower], many), false);
    writeFileSync(`${lower}/${storeName('a')}`, '');
    assert.equal(touchesLower(upper, [image, lower], many), true);
    assert.equal(touchesLower(upper, [image], many), false);
  });
}
