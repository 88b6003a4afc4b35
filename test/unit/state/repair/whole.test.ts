import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Row } from '../../../../src/state/reconcile/rows.ts';
import { wholeRows } from '../../../../src/state/repair/whole.ts';

const rows = (references: Record<string, string>): Row[] =>
  Object.entries(references).map(([path, list]) => ({
    ...{
      path,
      hash: '',
      registrationTime: 0,
      deriver: null,
      narSize: null,
      ultimate: null,
      sigs: null,
      ca: null,
    },
    references: list.split(' ').filter(Boolean),
    outputs: [],
  }));

const whole = (references: Record<string, string>, known = ''): string =>
  wholeRows(rows(references), new Set(known.split(' ')))
    .map(({ path }) => path)
    .join(' ');

test('what refers to what is known, to each other or to itself is whole', () => {
  assert.equal(whole({ a: 'k a', b: 'a c', c: 'b' }, 'k'), 'a b c');
});

test('what refers to nothing is not, nor what refers to that', () => {
  assert.equal(whole({ a: 'gone', b: 'a', c: 'b k', d: 'k' }, 'k'), 'd');
});
