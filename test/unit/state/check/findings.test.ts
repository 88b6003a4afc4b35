import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare, type Said } from '../../../../src/state/check/findings.ts';
import type { Names } from '../../../../src/state/check/names.ts';
import { named } from '../reconcile/ground.ts';

const names = (text: string): Set<string> => new Set(text.split(' ').filter(Boolean).map(named));

type Told = Partial<Record<keyof Said | keyof Names, string>>;

/** `missing:a broken:b`, `garbage`, `waiting` of what databases and layers say, each a list of short names. */
function compared(told: Told) {
  const set = (key: keyof Told): Set<string> => names(told[key] ?? '');
  const said = {
    rows: set('rows'),
    dangling: set('dangling'),
    image: names(told.image ?? told.whole ?? ''),
    whole: set('whole'),
    waiting: set('waiting'),
  };
  const layers = {
    upper: set('upper'),
    lower: set('lower'),
    whiteouts: set('whiteouts'),
    merging: set('merging'),
  };
  const { findings, garbage, waiting } = compare(said, layers, '/nix/store');
  const short = (path: string): string => path.replace(/^.*0-/, '');
  return {
    found: findings.map(({ kind, path }) => `${kind}:${short(path)}`).join(' '),
    garbage: garbage.map(short).join(' '),
    waiting: waiting.map(short).join(' '),
  };
}

const cases: [what: string, told: Told, found: string, garbage?: string, waiting?: string][] = [
  ['an empty store', {}, ''],
  ['a path in either layer', { rows: 'a b', upper: 'a', lower: 'b', whole: 'b' }, ''],
  ['a row of neither layer', { rows: 'a b', lower: 'b', whole: 'b' }, 'missing:a'],
  ['a row that refers to nothing', { rows: 'a', upper: 'a', dangling: 'a' }, 'broken:a'],
  ['a path of the image without a row', { lower: 'a', whole: 'a' }, 'unregistered:a'],
  ['a path that the image has but for something', { lower: 'a', image: 'a' }, ''],
  ['a name in the image that no database knows', { lower: 'a' }, ''],
  ['a whiteout, with a row', { rows: 'a', lower: 'a', whole: 'a', whiteouts: 'a' }, 'hidden:a'],
  ['a whiteout, without', { lower: 'a', whole: 'a', whiteouts: 'a' }, 'hidden:a'],
  ['a whiteout over nothing', { whiteouts: 'a' }, ''],
  ['a row of a whiteout over nothing', { rows: 'a', whiteouts: 'a' }, 'missing:a'],
  ['a copy of a path of the image', { rows: 'a', upper: 'a', lower: 'a', whole: 'a' }, 'merged:a'],
  ['a copy of one without a row', { upper: 'a', lower: 'a', whole: 'a' }, 'unregistered:a merged:a'],
  ['a path of the volume, merged', { rows: 'a', upper: 'a', lower: 'a', merging: 'a' }, 'merged:a'],
  ['a path of the volume, over what the image has', { rows: 'a', upper: 'a', lower: 'a' }, ''],
  ['a name without a row', { upper: 'a' }, '', 'a'],
  ['a name whose row waits', { upper: 'a b', waiting: 'a' }, '', 'b', 'a'],
  [
    'several',
    { rows: 'c a d', dangling: 'd', upper: 'd', lower: 'b', whole: 'b' },
    'missing:a missing:c broken:d unregistered:b',
  ],
];

for (const [what, told, found, garbage = '', waiting = ''] of cases) {
  test(what, () => assert.deepEqual(compared(told), { found, garbage, waiting }));
}

test('names that are no store paths are nothing to it', () => {
  const said = {
    rows: new Set<string>(),
    dangling: new Set<string>(),
    image: names(''),
    whole: names(''),
    waiting: names(''),
  };
  const own = new Set(['.links', 'tmp-1', 'note']);
  const layers = { upper: own, lower: own, whiteouts: own, merging: own };
  assert.deepEqual(compare(said, layers, '/nix/store'), { findings: [], garbage: [], waiting: [] });
});
