import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Step } from '../../../../src/store/plan.ts';
import { overlayOptions } from '../../../../src/store/steps/overlay.ts';

type Overlay = Step & { do: 'overlay' };

const options = (changes: Partial<Overlay>): string =>
  overlayOptions({
    do: 'overlay',
    target: '/t',
    lower: ['/l'],
    upper: '/u',
    work: '/w',
    options: [],
    ...changes,
  });

const cases: [string, Partial<Overlay>, string][] = [
  ['the layers alone', {}, 'lowerdir=/l,upperdir=/u,workdir=/w'],
  [
    'several lowers, topmost first',
    { lower: ['/a', '/b', '/c'] },
    'lowerdir=/a:/b:/c,upperdir=/u,workdir=/w',
  ],
  [
    'options after them',
    { options: ['index=off', 'userxattr'] },
    'lowerdir=/l,upperdir=/u,workdir=/w,index=off,userxattr',
  ],
  // A colon would end one lower, a comma the option, and a backslash takes what follows it as it is.
  ['a colon', { lower: ['/a:b', '/c'] }, 'lowerdir=/a\\:b:/c,upperdir=/u,workdir=/w'],
  ['commas', { upper: '/u,x', work: '/w,,y' }, 'lowerdir=/l,upperdir=/u\\,x,workdir=/w\\,\\,y'],
  ['a backslash', { lower: ['/a\\b'] }, 'lowerdir=/a\\\\b,upperdir=/u,workdir=/w'],
  ['a backslash before a comma', { upper: '/u\\,' }, 'lowerdir=/l,upperdir=/u\\\\\\,,workdir=/w'],
  [
    'blanks and equals signs, which need nothing',
    { upper: '/a b=c' },
    'lowerdir=/l,upperdir=/a b=c,workdir=/w',
  ],
];

for (const [name, changes, expected] of cases) {
  test(`overlay options: ${name}`, () => assert.equal(options(changes), expected));
}
