// `npm run model [-- --runs N] [--seed S] [--path P] [--replay R] [--no-shrink] [--verbose]`: random sequences of operations
// on a volume, each against a model of what must be valid; one that fails is shrunk, and printed with the words to replay it.
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { makeGround } from '../test/model/ground.ts';
import { runModel } from '../test/model/property.ts';

const { values } = parseArgs({
  allowNegative: true,
  options: {
    runs: { type: 'string', default: '300' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    path: { type: 'string' },
    replay: { type: 'string' },
    shrink: { type: 'boolean', default: true },
    verbose: { type: 'boolean', default: false },
  },
});
const { path, replay: replayPath, verbose } = values;
const [runs, seed] = [Number(values.runs), Number(values.seed)];
if (!Number.isSafeInteger(runs) || runs < 1 || !Number.isSafeInteger(seed)) {
  console.error('--runs and --seed are whole numbers');
  process.exit(64);
}
if (process.getuid?.() !== 0) {
  console.error('making namespaces takes root');
  process.exit(77);
}

console.log(`seed ${seed}`);
await using ground = await makeGround();
const started = performance.now();
const report = await runModel(ground, {
  runs,
  seed,
  asItIs: !values.shrink,
  ...(path === undefined ? {} : { path }),
  ...(replayPath === undefined ? {} : { replayPath }),
  ...(verbose ? { onRun: (text: string) => console.log(text) } : {}),
});
const seconds = Math.round((performance.now() - started) / 1000);
if (report.failure !== undefined) console.log(report.failure);
console.log(
  `${report.runs} sequences in ${seconds} s: ${report.failure === undefined ? 'as modelled' : 'a fault'}`,
);
process.exitCode = report.failure === undefined ? 0 : 1;
