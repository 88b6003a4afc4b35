// `npm run bench [-- NAME…] [--quick] [--json] [--pairs N]`: all measurements, or those named. Contenders take turns;
// compare the ratios within the rounds rather than times of different days.
import { parseArgs } from 'node:util';
import { openBigGround } from '../test/bench/bigGround.ts';
import { boot } from '../test/bench/boot.ts';
import { hostile } from '../test/bench/hostile.ts';
import { latency } from '../test/bench/latency.ts';
import { reportAsJson, reportAsText } from '../test/bench/measurement.ts';
import { orphans } from '../test/bench/orphans.ts';
import { reconcile } from '../test/bench/reconcile.ts';
import { seeding } from '../test/bench/seeding.ts';
import { termWindow } from '../test/bench/termWindow.ts';
import { unchanged } from '../test/bench/unchanged.ts';

const measurements = [boot, orphans, latency, hostile, termWindow, reconcile, seeding, unchanged];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pairs: { type: 'string' },
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
});
const { quick, json, pairs } = values;
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
for (const { name, rounds, run } of measurements) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const report = await run({ rounds: Number(pairs ?? rounds[quick ? 'quick' : 'full']), quick, ground });
  if (json) results[name] = reportAsJson(report);
  else console.log(`\n${name}: ${reportAsText(report)}`);
}
if (json) console.log(JSON.stringify({ node: process.version, ...results }, null, 2));
