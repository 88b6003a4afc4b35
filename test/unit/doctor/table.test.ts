import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fault, fine } from '../../../src/doctor/check.ts';
import { formatChecks } from '../../../src/doctor/table.ts';

test('a row for each check in columns, and below one that failed what to type', () => {
  const table = formatChecks([fine('a', 'longer than that', 'x'), fault('longer', 'b', 'y', 'type this')]);
  assert.equal(
    table,
    `      check   found             needed
ok    a       longer than that  x
FAIL  longer  b                 y
      remedy: type this
`,
  );
});
