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
/** Whether something was built since the boot before. */
const boots = [
  { name: 'boot', used: false },
  { name: 'boot, used', used: true },
];
const measured = [...boots.map(({ name }) => name), 'reconcile', ...Object.keys(commands)];

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
  const booted = await timeBoots(grown, rounds * BOOTS);
  const times: Times[] = [];
  for (const one of grown) {
    const few = one.count > MANY ? Math.min(rounds, FEW_ROUNDS) : rounds;
    times.push({
      ...booted(one),
      ...(await timeCommands(one, few)),
      reconcile: await timeReconcile(one, few),
    });
  }
  const curves = measured.map((name) => ({ name, spreads: times.map((of) => spreadOf(of[name] ?? [])) }));
  return { which, what: growing[which].what, counts, curves };
}

/** By the name of what was measured. */
type Times = Record<string, number[]>;

async function timeBoots(grown: readonly Grown[], rounds: number): Promise<(of: Grown) => Times> {
  const nameOf = (name: string, { count }: Grown): string => `${name} ${count}`;
  const contenders = grown.flatMap((one) =>
    boots.map(({ name, used }) => ({ name: nameOf(name, one), used, big: one.big })),
  );
  const runs = await inTurns(contenders, { rounds, warmUp: 1 }, async ({ big, used }) => {
    if (used) await big.machine.shell(use);
    return (await boot(big)).command;
  });
  return (of) => Object.fromEntries(boots.map(({ name }) => [name, runs(nameOf(name, of))]));
}

/** A name comes to the cache, which the next boot sees, and goes again, so that there are as many. */
const use = `rmdir "$(mktemp -d nix-cache/upper/${'0'.repeat(32)}-XXXXXX)"`;

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
