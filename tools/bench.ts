// `npm run bench [-- --pairs N] [-- --json]`: how long a boot takes, against bare Node and against tini with the shell
// recipe. Runs are interleaved; compare the ratios within the rounds rather than times of different days.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { contenders, makeBenchMachine } from '../test/bench/contenders.ts';
import { pairedRatios, type Spread, spreadOf } from '../test/bench/statistics.ts';
import type { Machine } from '../test/harness/namespaceMachine.ts';
import { repository } from '../test/harness/paths.ts';
import { runOk } from '../test/harness/run.ts';

const { values } = parseArgs({
  options: { pairs: { type: 'string', default: '60' }, json: { type: 'boolean', default: false } },
});
const rounds = Number(values.pairs);
const WARM_UP_ROUNDS = 5;

if (process.getuid?.() !== 0) {
  console.error('making namespaces takes root');
  process.exit(77);
}
await using machine = await makeBenchMachine();
const runs = new Map(contenders.map(({ name }) => [name, [] as Run[]]));
for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
  // Backwards every other time, so that nobody always comes after the same other.
  for (const { name, command } of round % 2 === 0 ? contenders : contenders.toReversed()) {
    const run = await measure(machine, command);
    if (round >= 0) runs.get(name)?.push(run);
  }
}
report();

/** Milliseconds from exec to the end of the command, and to that of PID 1. */
type Run = { command: number; all: number };

async function measure({ holder, root }: Machine, command: readonly string[]): Promise<Run> {
  const launcher = join(repository, 'test/bench/launch.pl');
  const output = await runOk('nsenter', [
    `--mount=/proc/${holder}/ns/mnt`,
    ...['perl', launcher, root, ...command],
  ]);
  const [said, ended, status] = output.trim().split('\n').at(-1)?.split(' ').map(Number) ?? [];
  if (said === undefined || ended === undefined || status !== 0)
    throw new Error(`${command.join(' ')} failed: ${output}`);
  return { command: said / 1e6, all: ended / 1e6 };
}

function report(): void {
  const of = (name: string, what: keyof Run): number[] => (runs.get(name) ?? []).map((run) => run[what]);
  const ratio = (name: string, against: string, what: keyof Run): Spread =>
    spreadOf(pairedRatios(of(name, what), of(against, what)));
  const milliseconds = contenders.flatMap(({ name, what }) =>
    name === 'node' || name === 'nothing'
      ? [{ name, what, ...spreadOf(of(name, 'all')) }]
      : [
          { name, what: `${what}: to the end of the command`, ...spreadOf(of(name, 'command')) },
          { name, what: `${what}: to the end of PID 1`, ...spreadOf(of(name, 'all')) },
        ],
  );
  const ratios = [
    { name: 'init/node', what: 'end of the command against bare node', ...ratio('init', 'node', 'command') },
    { name: 'init/node', what: 'end of PID 1 against bare node', ...ratio('init', 'node', 'all') },
    { name: 'plain/node', what: 'the same, strategy none', ...ratio('plain', 'node', 'command') },
    { name: 'init/tini', what: 'end of the command, both', ...ratio('init', 'tini', 'command') },
  ];
  if (values.json) {
    console.log(JSON.stringify({ rounds, node: process.version, milliseconds, ratios }, null, 2));
    return;
  }
  console.log(`${rounds} interleaved rounds, milliseconds from exec:`);
  for (const { name, what, ...spread } of milliseconds) console.log(row(name, what, spread, 1));
  console.log('ratios within the rounds:');
  for (const { name, what, ...spread } of ratios) console.log(row(name, what, spread, 2));
}

function row(name: string, what: string, { median, p25, p75, min, max }: Spread, digits: number): string {
  const [middle = '', low, high, least, most] = [median, p25, p75, min, max].map((value) =>
    value.toFixed(digits),
  );
  return `  ${name.padEnd(10)} ${middle.padStart(6)}  (half ${low}–${high}, all ${least}–${most})  ${what}`;
}
