import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAge, formatPage } from '../../../src/control/page.ts';
import { type Report, reportSchema } from '../../../src/control/report.ts';

const start = Date.parse('2026-11-21T10:00:00.000Z');
const at = (seconds: number): string => new Date(start + seconds * 1000).toISOString();

const report: Report = reportSchema.parse({
  version: '1.2.3',
  pid: 1,
  state: 'running',
  since: at(0),
  strategy: { name: 'substituter', asked: 'auto', passedOver: ['mount: no privilege: EPERM (add it)'] },
  access: 'read-write',
  places: { cacheDir: '/nix-cache', storeDir: '/nix/store', stateDir: '/nix/var/nix', socket: null },
  layers: null,
  reconciled: { learnt: 5, forgotten: 1, superseded: 2, whiteouts: 0 },
  command: { name: 'bash', pid: 12 },
  services: [
    { name: 'nix-daemon', state: 'running', pid: 14, since: at(60), restarts: 2 },
    { name: 'web', state: 'waiting', pid: null, since: at(30), restarts: 7 },
  ],
  reaped: 99,
  warnings: Array.from({ length: 7 }, (_, index) => ({
    time: at(index),
    level: 'warn',
    message: `warning ${index}`,
  })),
  volume: { total: 1024 ** 3, free: 1024 ** 3 / 4, inodes: { total: 100, free: 50 }, holder: null },
  cache: {
    directory: '/nix-cache/binary-cache',
    bytes: 3 * 1024 ** 2,
    paths: 12,
    sharedWithImage: 0,
    collected: { at: at(3640), freed: 1024, deleted: 2 },
  },
  image: { identity: 'sha256-0123456789abcdef', nix: '2.26.3', schema: 10 },
});

const page = formatPage(report, new Date(start + 3_700_000));

for (const line of [
  'nix-cache-init 1.2.3, PID 1, running for 1 h 1 min',
  'strategy  substituter (auto)',
  '          mount: no privilege: EPERM (add it)',
  'image     0123456789ab, Nix 2.26.3, schema 10',
  '          brought in step: 5 paths learnt, 1 forgotten, 2 superseded',
  '          [#######################       ]  75 %  256 MiB of 1 GiB free',
  '          [###############               ]  50 %  50 of 100 inodes free',
  "cache     3 MiB in 12 paths; 0 more are the image's",
  '          collected 1 min ago, 1 KiB freed',
  'services  nix-daemon: running, PID 14, for 1 h 0 min, 2 restarts',
  '          web: waiting, 7 restarts',
  'reaped    99 processes',
  'warnings  2 before these',
]) {
  test(`the page says: ${line.trim()}`, () => assert.ok(page.split('\n').includes(line), page));
}

test('the last warnings are shown', () => {
  assert.match(page, /warning 6\n$/);
  assert.doesNotMatch(page, /warning 1\n/);
});

for (const [ms, text] of [
  [-5, '0 s'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [3_600_000, '1 h 0 min'],
  [90_061_000, '1 d 1 h'],
] as const)
  test(`${ms} ms are ${text}`, () => assert.equal(formatAge(ms), text));
