import { join } from 'node:path';
import { program } from '../harness/checking.ts';
import { overlay } from '../harness/namespaceStore.ts';
import { idle, startRunningBoot } from '../harness/runningBoot.ts';
import type { BigGround } from './bigGround.ts';
import { copyVolumeFile } from './bigMachine.ts';
import { boot, type Growing, type Grown, grow, growing } from './growing.ts';
import { type Growth, growthTable } from './growthTable.ts';
import type { Measurement, Section } from './measurement.ts';
import { type Panel, plot } from './plot.ts';
import { inTurns } from './rounds.ts';
import { spreadOf } from './statistics.ts';

const commands = { gc: ['gc', '--dry-run'], check: ['check'], status: ['status'] };
const measured = ['boot', 'reconcile', ...Object.keys(commands)];

/** So many boots in a round: they are short, and are to be flat. */
const BOOTS = 4;
/** Of more than so many paths a round takes half a minute, and few do. */
const MANY = 10_000;
const FEW_ROUNDS = 3;

/** What takes how much longer on an image, with a cache, or on lowers, of ever more of them. */
export const growth: Measurement = {
  name: 'growth',
  rounds: { full: 5, quick: 3 },
  async run({ rounds, quick, ground }) {
    const all: Growth[] = [];
    for (const which of Object.keys(growing) as Growing[])
      all.push(await measureAll(ground, which, growing[which].counts[quick ? 'quick' : 'full'], rounds));
    return {
      rounds,
      sections: Object.fromEntries(all.map((one) => [one.which, sectionOf(one)])),
      tables: {
        paths: growthTable(all.filter(({ which }) => which !== 'lowers')),
        lowers: growthTable(all.filter(({ which }) => which === 'lowers')),
      },
      picture: plot('Milliseconds by number of paths, and of lowers', all.map(panelOf)),
    };
  },
};

const sectionOf = ({ what, counts, curves }: Growth): Section => ({
  title: `milliseconds, by ${what}`,
  digits: 1,
  rows: curves.flatMap(({ name, spreads }) =>
    spreads.map((spread, index) => ({ name, what: `${counts[index]} ${what}`, ...spread })),
  ),
});

const panelOf = ({ what, counts, curves }: Growth): Panel => ({
  title: what,
  curves: curves.map(({ name, spreads }) => ({
    name,
    points: counts.map((count, index) => [count, spreads[index]?.median ?? Number.NaN]),
  })),
});

async function measureAll(
  ground: BigGround,
  which: Growing,
  counts: readonly number[],
  rounds: number,
): Promise<Growth> {
  await using stack = new AsyncDisposableStack();
  const grown: Grown[] = [];
  for (const count of counts) grown.push(stack.use(await grow(ground, which, count)));
  const boots = await inTurns(
    grown.map((one) => ({ name: `${one.count}`, ...one })),
    { rounds: rounds * BOOTS, warmUp: 1 },
    async ({ big }) => (await boot(big)).command,
  );
  const times: Times[] = [];
  for (const one of grown) {
    const few = one.count > MANY ? Math.min(rounds, FEW_ROUNDS) : rounds;
    times.push({
      boot: boots(`${one.count}`),
      ...(await timeCommands(one, few)),
      reconcile: await timeReconcile(one, few),
    });
  }
  const curves = measured.map((name) => ({ name, spreads: times.map((of) => spreadOf(of[name] ?? [])) }));
  return { which, what: growing[which].what, counts, curves };
}

/** By the name of what was measured. */
type Times = Record<string, number[]>;

/** In a running container, as `docker exec` would. */
async function timeCommands({ big }: Grown, rounds: number): Promise<Times> {
  await using running = await startRunningBoot(big.machine, { args: overlay(...idle) });
  const times: Times = {};
  for (const [name, args] of Object.entries(commands)) {
    const values: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const start = performance.now();
      await running.shell([program, ...args].join(' '));
      values.push(performance.now() - start);
    }
    times[name] = values;
  }
  return times;
}

/** The step of a boot on an image of which 1 % changed; every round begins with the same volume. */
async function timeReconcile({ big, volume, directory, next }: Grown, rounds: number): Promise<number[]> {
  await big.detach();
  const values: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await big.insert(next);
    await big.attach(await copyVolumeFile(volume, join(directory, 'round.ext4')));
    await boot(big);
    values.push(big.step('reconcile'));
    await big.detach();
  }
  return values;
}
