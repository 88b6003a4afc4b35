import { join } from 'node:path';
import { overlay } from '../harness/namespaceStore.ts';
import { copyVolumeFile, makeBigMachine, makeVolumeFile } from './bigMachine.ts';
import type { Measurement } from './measurement.ts';
import { inTurns } from './rounds.ts';
import { pairedRatios, spreadOf } from './statistics.ts';
import { main, time } from './timed.ts';

// `-f` and not everything that this machine has yet to write.
const copying = 'mkdir /nix-cache/var && cp -a /nix/var/nix /nix-cache/var/ && sync -f /nix-cache';

const contenders = [
  { name: 'init', what: '/init to the end of PID 1', command: ['/init', ...overlay(...main)] },
  { name: 'recipe', what: "the recipe's cp -a, then sync -f", command: ['/bin/sh', '-euc', copying] },
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
        const { all } = await time(big.machine, command);
        return { all, step: name === 'init' ? big.step('seed') + big.step('reconcile') : all };
      } finally {
        await big.detach();
      }
    });
    const of = (name: string, part: 'all' | 'step'): number[] => runs(name).map((run) => run[part]);
    const recipe = of('recipe', 'all');
    return {
      rounds,
      sections: {
        milliseconds: {
          title: `a state directory with ${rows} valid paths, milliseconds`,
          digits: 0,
          rows: [
            ...contenders.map(({ name, what }) => ({ name, what, ...spreadOf(of(name, 'all')) })),
            { name: 'init', what: 'of that, seeding and reconcile', ...spreadOf(of('init', 'step')) },
          ],
        },
        ratios: {
          title: 'ratios within the rounds',
          digits: 2,
          rows: [
            {
              name: 'init/cp',
              what: 'the whole boot, exec to end, both',
              ...spreadOf(pairedRatios(of('init', 'all'), recipe)),
            },
            {
              name: 'init/cp',
              what: 'the two steps against the whole command',
              ...spreadOf(pairedRatios(of('init', 'step'), recipe)),
            },
          ],
        },
      },
    };
  },
};
