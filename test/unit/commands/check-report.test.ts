import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatReport } from '../../../src/commands/check-report.ts';

const base = {
  looked: '/nix/store',
  valid: 3,
  inStep: true,
  findings: [],
  garbage: [],
  waiting: [],
  notes: [],
};
const nothing = { swept: [], fetched: [], registered: [], invalidated: [] };

test('a healthy store is two lines', () => {
  assert.equal(formatReport(base), 'checked /nix/store\n3 valid paths: nothing wrong\n');
});

test('what is wrong is a line each, then what to know, and the last line counts', () => {
  const findings = [
    { kind: 'missing', path: '/a', detail: 'gone' } as const,
    { kind: 'missing', path: '/b', detail: 'gone' } as const,
    { kind: 'modified', path: '/c', detail: 'other' } as const,
  ];
  const report = { ...base, findings, garbage: ['/d'], waiting: ['/e', '/f'], notes: ['know this'] };
  assert.deepEqual(formatReport(report).split('\n'), [
    'checked /nix/store',
    'missing       /a  (gone)',
    'missing       /b  (gone)',
    'modified      /c  (other)',
    'note: know this',
    '3 valid paths: 2 missing, 1 modified; 1 garbage, 2 waiting',
    '',
  ]);
});

test('what a repair did comes first', () => {
  const rescued = { aside: '/t/db-1', registered: ['/a'], lost: ['/b'] };
  const repaired = { rescued, swept: ['/c'], fetched: ['/d'], registered: ['/e'], invalidated: ['/f'] };
  assert.deepEqual(
    formatReport({ ...base, repaired })
      .split('\n')
      .slice(1),
    [
      'moved aside   /t/db-1',
      'saved         /a',
      'lost          /b',
      'swept         /c',
      'fetched       /d',
      'registered    /e',
      'invalidated   /f',
      '3 valid paths: nothing wrong; repaired: 1 saved, 1 lost, 1 swept, 1 fetched, 1 registered, 1 invalidated',
      '',
    ],
  );
  assert.match(formatReport({ ...base, repaired: nothing }), /; nothing repaired\n$/);
});
