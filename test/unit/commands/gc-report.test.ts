import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatGcReport } from '../../../src/commands/gc-report.ts';
import { gcSchema } from '../../../src/commands/schemas/gc.ts';
import type { GcReport } from '../../../src/gc/report.ts';

const report: GcReport = {
  looked: '/nix/store as mounted from /nix-cache',
  dryRun: false,
  lastUseFrom: 'access times',
  before: { bytes: 3 * 1024 ** 3, paths: 3 },
  after: { bytes: 1024 ** 3, paths: 2 },
  freed: 2 * 1024 ** 3,
  deleted: [{ path: '/nix/store/a', bytes: 2 * 1024 ** 3, lastUse: '2026-11-01T12:00:00.000Z' }],
  kept: ['/nix/store/b'],
  maxSize: 1024 ** 2,
  under: false,
  holders: [{ root: '/nix/var/nix/profiles/p-1-link', path: '/nix/store/b', bytes: 1024 ** 3 }],
};

test('what went, what that came to, and what holds the rest', () => {
  assert.equal(
    formatGcReport(report),
    `collected /nix/store as mounted from /nix-cache
      2 GiB  2026-11-01  /nix/store/a
kept: /nix/store/b  (in use since)
deleted 1 path, 2 GiB freed; 3 GiB in 3 paths before, 1 GiB in 2 after, more than 1 MiB
last use told by access times
held by:
      1 GiB  /nix/var/nix/profiles/p-1-link
`,
  );
});

test('a dry run says what it would do, and one that found nothing not from what', () => {
  const nothing = { ...report, dryRun: true, deleted: [], kept: [], freed: 0, under: true, holders: [] };
  assert.equal(
    formatGcReport(nothing),
    `looked at /nix/store as mounted from /nix-cache
would delete 0 paths and free 0 B; 3 GiB in 3 paths before, 1 GiB in 2 after
`,
  );
});

test('the schema is that of the report', () => {
  assert.deepEqual(gcSchema.parse(report), report);
});
