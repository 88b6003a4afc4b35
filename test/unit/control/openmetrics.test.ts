import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMetrics } from '../../../src/control/openmetrics.ts';
import type { Report } from '../../../src/control/report.ts';

const report: Report = {
  version: '1.2.3',
  pid: 1,
  state: 'running',
  since: '2026-11-21T10:00:00.500Z',
  strategy: { name: 'overlay', asked: 'auto', passedOver: [] },
  access: 'read-write',
  places: { cacheDir: '/nix-cache', storeDir: '/nix/store', stateDir: '/nix/var/nix', socket: null },
  layers: null,
  reconciled: null,
  command: null,
  services: [{ name: 'a"b\\c', state: 'running', pid: 14, since: null, restarts: 2 }],
  reaped: 99,
  warnings: [],
  volume: { total: 1000, free: 400, inodes: null, holder: null },
  cache: {
    directory: '/nix-cache/upper',
    bytes: 123,
    paths: 4,
    sharedWithImage: 5,
    collected: null,
  },
  image: null,
};

const text = formatMetrics(report);

for (const line of [
  'nix_cache_init_info{version="1.2.3",strategy="overlay",access="read-write"} 1',
  'nix_cache_init_start_time_seconds 1795255200.5',
  'nix_cache_init_processes_reaped_total 99',
  'nix_cache_init_cache_bytes 123',
  'nix_cache_init_cache_paths 4',
  '# UNIT nix_cache_init_volume_free_bytes bytes',
  'nix_cache_init_volume_free_bytes 400',
  'nix_cache_init_service_up{service="a\\"b\\\\c"} 1',
  'nix_cache_init_service_restarts_total{service="a\\"b\\\\c"} 2',
])
  test(`it has: ${line}`, () => assert.ok(text.split('\n').includes(line), text));

test('it ends as the format wants it, and what there is not is not in it', () => {
  assert.match(text, /\n# EOF\n$/);
  assert.doesNotMatch(text, /inodes/);
});

test('every sample has its family before it, and a family is there once', () => {
  const seen = new Set<string>();
  let family = '';
  for (const line of text.trimEnd().split('\n').slice(0, -1)) {
    const [, type] = /^# TYPE (\S+)/.exec(line) ?? [];
    if (type !== undefined) {
      assert.ok(!seen.has(type));
      seen.add(type);
      family = type;
    } else if (line.startsWith('#')) assert.ok(line.includes(` ${family} `));
    else assert.match(line, new RegExp(`^${family}(_total|_info)?[ {]`));
  }
});
