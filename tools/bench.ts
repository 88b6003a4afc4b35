// `npm run bench [-- NAME…] [--quick] [--json] [--pairs N] [--pictures] [--gate]`: all measurements, or those named. Contenders take
// turns; compare the ratios within the rounds rather than times of different days. Pictures, and tables, go to the docs.
// With --gate a ratio that is too far above what it usually is fails, and the last line has the numbers.
import { parseArgs } from 'node:util';
import { openBigGround } from '../test/bench/bigGround.ts';
import { boot } from '../test/bench/boot.ts';
import { daemon } from '../test/bench/daemon.ts';
import { docker } from '../test/bench/docker.ts';
import { growth } from '../test/bench/growth.ts';
import { hostile } from '../test/bench/hostile.ts';
import { idle } from '../test/bench/idle.ts';
import { latency } from '../test/bench/latency.ts';
import { judge, reportAsJson, reportAsText } from '../test/bench/measurement.ts';
import { orphans } from '../test/bench/orphans.ts';
import { putIntoDocs } from '../test/bench/putIntoDocs.ts';
import { reconcile } from '../test/bench/reconcile.ts';
import { seeding } from '../test/bench/seeding.ts';
import { size } from '../test/bench/size.ts';
import { termWindow } from '../test/bench/termWindow.ts';
import { unchanged } from '../test/bench/unchanged.ts';

const measurements = [
  ...[boot, docker, daemon, orphans, latency, hostile, termWindow, idle, size],
  ...[reconcile, seeding, unchanged, growth],
];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pairs: { type: 'string' },
    json: { type: 'boolean', default: false },
    pictures: { type: 'boolean', default: false },
    gate: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
});
const { quick, json, pairs, pictures, gate } = values;
const unknown = positionals.find((name) => !measurements.some((known) => known.name === name));
if (unknown !== undefined) {
  console.error(`no measurement ${unknown}: ${measurements.map(({ name }) => name).join(', ')}`);
  process.exit(64);
}
if (process.getuid?.() !== 0) {
  console.error('making namespaces takes root');
  process.exit(77);
}

await using ground = openBigGround();
const results: Record<string, unknown> = {};
let passed = 0;
let failed = 0;
for (const { name, rounds, run } of measurements) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const report = await run({ rounds: Number(pairs ?? rounds[quick ? 'quick' : 'full']), quick, ground });
  if (pictures) putIntoDocs(name, report);
  if (json) results[name] = reportAsJson(report);
  else console.log(`\n${name}: ${reportAsText(report)}`);
  if (!gate) continue;
  const { good, regressions } = judge(report);
  for (const regression of regressions) console.log(`✖ slower than it was: ${regression}`);
  passed += good;
  failed += regressions.length;
}
if (json) console.log(JSON.stringify({ node: process.version, ...results }, null, 2));
if (gate) console.log(`${passed} ratios as usual, ${failed} not`);
if (failed > 0) process.exitCode = 1;
