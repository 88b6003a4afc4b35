import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BigImages, ImageLayers } from '../harness/bigImage.ts';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import type { Machine } from '../harness/namespaceMachine.ts';
import { overlay, validPaths } from '../harness/namespaceStore.ts';
import { type BigMachine, copyVolumeFile, makeBigMachine, makeVolumeFile } from './bigMachine.ts';
import type { Measurement, Row } from './measurement.ts';
import { inTurns } from './rounds.ts';
import { pairedRatios, spreadOf } from './statistics.ts';
import { main, type Run, time } from './timed.ts';

const boots = [
  { name: 'init', image: 'next', what: 'the next image, made on top' },
  { name: 'rebuilt', image: 'rebuilt', what: 'the same image, made from nothing: all rows in another order' },
] as const;
const loading = 'nix-store --dump-db | nix-store --load-db';

/** A boot on an image of which 1 % changed, against what Nix has for it. Every round begins with the same volume. */
export const reconcile: Measurement = {
  name: 'reconcile',
  rounds: { full: 9, quick: 2 },
  async run({ rounds, quick, ground }) {
    const rows = quick ? 10_000 : 100_000;
    const images = await ground.images(rows);
    const directory = await ground.directory('reconcile');
    await using big = await makeBigMachine(directory);
    const seeded = await makeVolumeFile(join(directory, 'seeded.ext4'));
    await seed(big, images.old, seeded);
    const load = await prepareNix(big, images, directory);

    const contenders = [...boots, { name: 'load-db', image: 'next', what: loading } as const];
    const checked = new Set<string>();
    const runs = await inTurns(contenders, { rounds, warmUp: 1 }, async ({ name, image }) => {
      await big.insert(images[image]);
      await big.attach(await copyVolumeFile(seeded, join(directory, 'round.ext4')));
      try {
        if (name === 'load-db') return { ...(await load()), step: Number.NaN };
        const run = await time(big.machine, ['/init', ...overlay(...main)]);
        if (!checked.has(name)) assertRows(big.machine);
        checked.add(name);
        return { ...run, step: big.step('reconcile') };
      } finally {
        await big.detach();
      }
    });

    const of = (name: string, part: 'all' | 'step' | 'cpu'): number[] => runs(name).map((run) => run[part]);
    const milliseconds = boots.flatMap(({ name, what }): Row[] => [
      { name, what: `/init to the end of PID 1 on ${what}`, ...spreadOf(of(name, 'all')) },
      { name, what: 'of that, the step', ...spreadOf(of(name, 'step')) },
      { name, what: "the boot's processor time", ...spreadOf(of(name, 'cpu')) },
    ]);
    const nix = of('load-db', 'all');
    const ratios = boots.flatMap(({ name }): Row[] => [
      { name: `${name}/nix`, what: 'the whole boot', ...spreadOf(pairedRatios(of(name, 'all'), nix)) },
      { name: `${name}/nix`, what: 'the step', ...spreadOf(pairedRatios(of(name, 'step'), nix)) },
      {
        name: `${name}/nix`,
        what: 'processor time',
        ...spreadOf(pairedRatios(of(name, 'cpu'), of('load-db', 'cpu'))),
      },
    ]);
    return {
      rounds,
      sections: {
        milliseconds: {
          title: `an image with ${rows} valid paths of which 1 % changed, milliseconds`,
          digits: 0,
          rows: [
            ...milliseconds,
            { name: 'load-db', what: loading, ...spreadOf(nix) },
            { name: 'load-db', what: 'its processor time', ...spreadOf(of('load-db', 'cpu')) },
          ],
        },
        ratios: { title: 'ratios within the rounds', digits: 4, rows: ratios },
      },
    };
  },
};

async function seed(big: BigMachine, image: ImageLayers, volume: string): Promise<void> {
  await big.insert(image);
  await big.attach(volume);
  const { exitCode, stderr } = await bootInNamespace(big.machine, { args: overlay('true') });
  if (exitCode !== 0) throw new Error(`the first boot failed: ${stderr}`);
  await big.detach();
}

/** Debian's Nix over the same store and the same volume. @returns what loads and says how long it took. */
async function prepareNix(
  { machine }: BigMachine,
  { next: [next = ''], nix }: BigImages,
  directory: string,
): Promise<() => Promise<Run>> {
  // A copy: whoever dumps a database opens it for writing, and the image would no longer be what it was.
  const dumped = join(directory, 'dumped');
  cpSync(join(next, 'var/nix'), dumped, { recursive: true, verbatimSymlinks: true });
  mkdirSync(join(nix.path, 'dumped'));
  await machine.shell(`mount --rbind /dev "${nix.path}/dev"; mount --bind "${dumped}" "${nix.path}/dumped"`);
  const script = `NIX_STATE_DIR=/dumped ${loading}`;
  return async () => {
    await machine.shell(
      `mount --rbind nix "${nix.path}/nix"; mount --bind nix-cache/var/nix "${nix.path}/nix/var/nix"`,
    );
    try {
      return await time(machine, ['/bin/bash', '-euo', 'pipefail', '-c', script], nix.path);
    } finally {
      await machine.shell(`umount "${nix.path}/nix/var/nix"; umount "${nix.path}/nix"`);
    }
  };
}

/** What was timed did what it was to do. */
function assertRows(machine: Machine): void {
  const image = validPaths(machine.path('/nix/var/nix'));
  const volume = validPaths(machine.path('/nix-cache/var/nix'));
  if (image.join() !== volume.join())
    throw new Error(`${volume.length} paths are valid, and not the ${image.length} of the image`);
}
