import assert from 'node:assert/strict';
import { test } from 'node:test';
import { uptime } from '../../../src/linux/clock.ts';
import type { Log } from '../../../src/log.ts';
import { ShutdownReport } from '../../../src/supervise/report.ts';

function written(report: ShutdownReport): [string, unknown][] {
  const lines: [string, unknown][] = [];
  const ignore = (): void => {};
  const log: Log = {
    error: ignore,
    warn: ignore,
    debug: ignore,
    info: (text, fields) => lines.push([text, fields]),
  };
  report.write(log);
  return lines;
}

test('a shutdown that never began is not reported', () =>
  assert.deepEqual(written(new ShutdownReport()), []));

test('the clock starts once, and the phases add up to the whole', () => {
  const report = new ShutdownReport();
  report.begin(uptime() - 50);
  report.begin(uptime());
  report.ended('command');
  report.killed([{ pid: 7, name: 'sh' }], 'others');
  report.ended('others');
  report.serviceEnded('web');
  report.ended('leftovers');
  const [[message, fields] = ['']] = written(report);
  assert.equal(message, 'shutdown');
  const { ms, phases, killed } = fields as {
    ms: number;
    phases: Record<string, number> & { services: Record<string, number> };
    killed: unknown;
  };
  assert.deepEqual(killed, [{ pid: 7, name: 'sh', phase: 'others' }]);
  assert.ok(ms >= 50 && (phases['command'] ?? 0) >= 50);
  const { services, ...own } = phases;
  const sum = [...Object.values(own), ...Object.values(services)].reduce((left, right) => left + right);
  assert.ok(Math.abs(sum - ms) < 0.01);
});
