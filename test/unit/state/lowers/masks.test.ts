import assert from 'node:assert/strict';
import { lstatSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { makeMasks } from '../../../../src/state/lowers/masks.ts';
import { temporaryDirectory } from '../../fixtures.ts';
import { named } from '../reconcile/ground.ts';

const [a, b, c] = [named('a'), named('b'), named('c')];

function masksOf(base: string): Record<string, string[]> {
  return Object.fromEntries(
    readdirSync(base)
      .sort()
      .map((number) => [number, readdirSync(`${base}/${number}`).sort()]),
  );
}

test('a lower shows what no layer above it has, and only store paths', () => {
  using directory = temporaryDirectory();
  const masks = `${directory.path}/masks`;
  makeMasks(masks, [
    [a, '.links'],
    [a, b, '.links'],
    [a, b, c, `${c}.lock`, 'lost+found'],
  ]);
  assert.deepEqual(masksOf(masks), { '1': ['.links', a].sort(), '2': [a, b, 'lost+found'].sort() });
  const stat = lstatSync(`${masks}/1/${a}`);
  assert.deepEqual([stat.isCharacterDevice(), stat.rdev], [true, 0]);
});

test('they follow the layers: what may be seen again is, and a lower that is gone has none', () => {
  using directory = temporaryDirectory();
  const masks = `${directory.path}/masks`;
  makeMasks(masks, [[a], [a, b], [b, c]]);
  makeMasks(masks, [[c], [a, c]]);
  assert.deepEqual(masksOf(masks), { '1': [c] });
  makeMasks(masks, [[c]]);
  assert.deepEqual(masksOf(masks), {});
});
