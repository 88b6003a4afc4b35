import { join } from 'node:path';
import { overlay } from '../harness/namespaceStore.ts';
import { copyVolumeFile, makeBigMachine, makeVolumeFile } from './bigMachine.ts';
import type { Measurement, Row } from './measurement.ts';
import { inTurns } from './rounds.ts';
import { pairedRatios, spreadOf } from './statistics.ts';
import { main, time } from './timed.ts';

// `-f` and not everything that this machine has yet to write.
const copying = 'mkdir /nix-cache/var && cp -a /nix/var/nix /nix-cache/var/ && sync -f /nix-cache';

const contenders = [
  { name: 'init', command: ['/init', ...overlay(...main)] },
  { name: 'recipe', command: ['/bin/sh', '-euc', copying] },
];

/** The first boot on an empty volume, against the copy that the shell recipe makes, both to the disk. */
export const seeding: Measurement = {
  name: 'seeding',
  rounds: { full: 21, quick: 5 },
  async run({ rounds, quick, ground }) {
    const rows = quick ? 10_000 : 100_000;
    const { old } = await ground.images(rows);
    const directory = await ground.directory('seeding');
    await using big = await makeBigMachine(directory);
    await big.insert(old);
    const empty = await makeVolumeFile(join(directory, 'empty.ext4'));
    const runs = await inTurns(contenders, { rounds, warmUp: 1 }, async ({ name, command }) => {
      await big.attach(await copyVolumeFile(empty, join(directory, 'round.ext4')));
      try {
        const run = await time(big.machine, command);
        const steps = name === 'init' ? { seed: big.step('seed'), reconcile: big.step('reconcile') } : {};
        return { ...run, ...steps };
      } finally {
        await big.detach();
      }
    });
    const of = (name: string, part: 'all' | 'cpu' | 'seed' | 'reconcile'): number[] =>
      runs(name).map((run) => run[part] ?? Number.NaN);
    const parts = [
      { part: 'all', what: 'the whole boot, exec to end' },
      { part: 'seed', what: 'its step that copies and flushes' },
      { part: 'reconcile', what: 'its step that then compares, roots and identifies the image' },
    ] as const;
    const recipe = of('recipe', 'all');
    const ratio = (part: (typeof parts)[number]['part'], what: string): Row => ({
      name: 'init/cp',
      what,
      ...spreadOf(pairedRatios(of('init', part), recipe)),
    });
    return {
      rounds,
      sections: {
        milliseconds: {
          title: `a state directory with ${rows} valid paths, milliseconds`,
          digits: 0,
          rows: [
            ...parts.map(({ part, what }) => ({ name: 'init', what, ...spreadOf(of('init', part)) })),
            { name: 'recipe', what: "the recipe's cp -a, then sync -f", ...spreadOf(recipe) },
          ],
        },
        ratios: {
          title: 'ratios within the rounds, against the whole command of the recipe',
          digits: 2,
          rows: parts.map(({ part, what }) => ratio(part, what)),
        },
      },
    };
  },
};
