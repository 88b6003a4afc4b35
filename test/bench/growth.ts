import { join } from 'node:path';
import { baseRoot } from '../harness/base.ts';
import { program } from '../harness/checking.ts';
import { overlay } from '../harness/namespaceStore.ts';
import { putNixFixtures } from '../harness/nixFixtures.ts';
import { idle, startRunningBoot } from '../harness/runningBoot.ts';
import type { BigGround } from './bigGround.ts';
import { type BigMachine, copyVolumeFile, makeBigMachine, makeVolumeFile } from './bigMachine.ts';
import { fillCache } from './fillCache.ts';
import type { Measurement, Row } from './measurement.ts';
import { type Curve, plot } from './plot.ts';
import { spreadOf } from './statistics.ts';
import { main, time } from './timed.ts';

const FEW = 100;
const sizes = { quick: [100, 1_000, 10_000], full: [100, 1_000, 10_000, 100_000] };

/** What grows, while the other one has few paths. */
const growing = { image: 'paths in the image', cache: 'paths in the cache' } as const;
type Growing = keyof typeof growing;

const commands = { status: ['status'], check: ['check'], gc: ['gc', '--dry-run'] };
const measured = ['boot', 'reconcile', ...Object.keys(commands)] as const;

/** What takes how much longer on an image, or with a cache, of ten times as many paths. */
export const growth: Measurement = {
  name: 'growth',
  rounds: { full: 5, quick: 3 },
  async run({ rounds, quick, ground }) {
    const counts = sizes[quick ? 'quick' : 'full'];
    const panels: Record<Growing, Curve[]> = { image: [], cache: [] };
    const rows: Record<Growing, Row[]> = { image: [], cache: [] };
    const steepest: Row[] = [];
    for (const which of Object.keys(growing) as Growing[]) {
      const times = new Map<number, Record<string, number[]>>();
      for (const count of counts) times.set(count, await measureAll(ground, which, count, rounds));
      for (const name of measured) {
        const of = (count: number): number[] => times.get(count)?.[name] ?? [];
        panels[which].push({ name, points: counts.map((count) => [count, spreadOf(of(count)).median]) });
        for (const count of counts)
          rows[which].push({ name, what: `${count} ${growing[which]}`, ...spreadOf(of(count)) });
        const [last = Number.NaN, before = Number.NaN] = counts
          .slice(-2)
          .reverse()
          .map((count) => spreadOf(of(count)).median);
        steepest.push({ name, what: `ten times as many ${growing[which]}`, ...spreadOf([last / before]) });
      }
    }
    return {
      rounds,
      sections: {
        image: { title: 'milliseconds, by paths in the image', digits: 1, rows: rows.image },
        cache: { title: 'milliseconds, by paths in the cache', digits: 1, rows: rows.cache },
        steepest: {
          title: 'the last step of these: 1 is flat, 10 is linear',
          digits: 2,
          rows: steepest,
        },
      },
      picture: plot('Milliseconds by number of paths', [
        { title: growing.image, curves: panels.image },
        { title: growing.cache, curves: panels.cache },
      ]),
    };
  },
};

async function measureAll(
  ground: BigGround,
  which: Growing,
  count: number,
  rounds: number,
): Promise<Record<string, number[]>> {
  const images = await ground.images(which === 'image' ? count : FEW);
  const directory = await ground.directory(`growth-${which}-${count}`);
  await using big = await makeBigMachine(directory, await baseRoot('trixie'));
  await big.machine.shell(putNixFixtures);
  const volume = await makeVolumeFile(join(directory, 'volume.ext4'));
  await big.insert(images.old);
  await big.attach(volume);
  await boot(big);
  if (which === 'cache') await fillCache(big.machine, await ground.images(count));
  // What came to the cache is part of what it is the next time.
  await boot(big);
  const times: Record<string, number[]> = Object.fromEntries(measured.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) times['boot']?.push((await boot(big)).command);
  {
    await using running = await startRunningBoot(big.machine, { args: overlay(...idle) });
    for (const [name, args] of Object.entries(commands)) {
      for (let round = 0; round < rounds; round += 1) {
        const start = performance.now();
        await running.shell([program, ...args].join(' '));
        times[name]?.push(performance.now() - start);
      }
    }
  }
  await big.detach();
  for (let round = 0; round < rounds; round += 1) {
    await big.insert(images.next);
    await big.attach(await copyVolumeFile(volume, join(directory, 'round.ext4')));
    await boot(big);
    times['reconcile']?.push(big.step('reconcile'));
    await big.detach();
  }
  return times;
}

const boot = (big: BigMachine) => time(big.machine, ['/init', ...overlay(...main)]);
