// `npm run crash [-- --scenario PART] [--blow KILL|ENOSPC|EDQUOT|EIO|EROFS]… [--every N] [--verbose]`: kills init, or has a
// call fail, at every state-changing system call of every scenario, one at a time, and says what was lost.
import { parseArgs } from 'node:util';
import type { Call } from '../test/crash/calls.ts';
import { scenarios } from '../test/crash/scenarios.ts';
import { type Blow, blows } from '../test/crash/strike.ts';
import { type Swept, sweepAll } from '../test/crash/sweep.ts';

const { values } = parseArgs({
  options: {
    scenario: { type: 'string', default: '' },
    blow: { type: 'string', multiple: true },
    every: { type: 'string', default: '1' },
    verbose: { type: 'boolean', default: false },
  },
});
if (process.getuid?.() !== 0) {
  console.error('making namespaces takes root');
  process.exit(77);
}
const every = Number(values.every);
const chosenBlows: Blow[] = blows.filter((blow) => values.blow?.includes(blow) ?? true);
const chosen = scenarios.filter(({ name }) => name.includes(values.scenario));
const sweeps = chosenBlows.flatMap((blow) => chosen.map((scenario) => ({ scenario, blow })));
const choose = (calls: Call[]): Call[] => calls.filter((_, index) => index % every === 0);

const all: Swept[] = [];
await sweepAll(sweeps, choose, (swept) => {
  all.push(swept);
  report(swept);
});
const count = (of: (swept: Swept) => number): number => all.reduce((sum, swept) => sum + of(swept), 0);
const points = count(pointsOf);
const [lost, wrong, unmet] = (['lost', 'wrong', 'unmet'] as const).map((key) =>
  count((swept) => swept[key].length),
);
console.log(
  `${points} points in ${Math.round(performance.now() / 1000)} s: ${lost} lost, ${wrong} wrong, ${unmet} not met`,
);
process.exitCode = points > 0 && lost === 0 && wrong === 0 && unmet === 0 ? 0 : 1;

function report(swept: Swept): void {
  const { scenario, blow, points: struck } = swept;
  const calls = [...struck].map(([name, times]) => `${name} ${times}`).join(', ');
  console.log(`${blow} ${scenario.name}: ${pointsOf(swept)} points (${calls}), ${swept.lost.length} lost`);
  for (const key of ['lost', 'wrong', 'unmet'] as const)
    for (const what of swept[key]) console.log(`  ${key}: ${what}`);
  if (values.verbose) for (const what of swept.ignored) console.log(`  went on: ${what}`);
}

function pointsOf({ points: struck }: Swept): number {
  return [...struck.values()].reduce((sum, times) => sum + times, 0);
}
