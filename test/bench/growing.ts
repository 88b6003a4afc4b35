import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { baseRoot } from '../harness/base.ts';
import type { ImageLayers } from '../harness/bigImage.ts';
import { overlay } from '../harness/namespaceStore.ts';
import { putNixFixtures } from '../harness/nixFixtures.ts';
import type { BigGround } from './bigGround.ts';
import { type BigMachine, makeBigMachine, makeVolumeFile } from './bigMachine.ts';
import { fillCache } from './fillCache.ts';
import { makeLowers } from './makeLowers.ts';
import { main, type Run, time } from './timed.ts';

/** How much there is of what does not grow. */
const FEW = 100;
const thousands = [100, 1_000, 10_000];

/** What grows, and to how much; 60 lowers are as many as a page of mount options takes. */
export const growing = {
  image: { what: 'paths in the image', counts: { quick: thousands, full: [...thousands, 100_000] } },
  cache: { what: 'paths in the cache', counts: { quick: thousands, full: [...thousands, 100_000] } },
  lowers: {
    what: `further lowers of ${FEW} paths each`,
    counts: { quick: [1, 4, 16], full: [1, 4, 16, 60] },
  },
} as const;
export type Growing = keyof typeof growing;

/** A machine whose volume is attached, and has seen what there is now. */
export interface Grown extends AsyncDisposable {
  big: BigMachine;
  count: number;
  /** A place of its own on the disk, and in it the file with the volume. */
  directory: string;
  volume: string;
  /** The image once more, with 1 % of its paths changed. */
  next: ImageLayers;
}

export async function grow(ground: BigGround, which: Growing, count: number): Promise<Grown> {
  const images = await ground.images(which === 'image' ? count : FEW);
  const directory = await ground.directory(`growth-${which}-${count}`);
  const big = await makeBigMachine(directory, await baseRoot('trixie'));
  const { machine } = big;
  await machine.shell(putNixFixtures);
  const volume = await makeVolumeFile(join(directory, 'volume.ext4'));
  await big.insert(images.old);
  await big.attach(volume);
  if (which === 'lowers') {
    const names = makeLowers(directory, count, images);
    await machine.shell(`mkdir lowers; mount --bind "${directory}" lowers`);
    // Not by flags: whatever is asked for later is to know them, too.
    const settings = machine.path('/etc/nix-cache-init');
    mkdirSync(settings);
    const lowers = names.map((name) => `/lowers/${name}/store`);
    writeFileSync(join(settings, 'config.json'), JSON.stringify({ lowers }));
  }
  await boot(big);
  if (which === 'cache') await fillCache(machine, await ground.images(count));
  // What came to the cache is part of what it is the next time.
  await boot(big);
  // The writing back of all that is nobody's.
  await machine.shell(`sync -f nix-cache; sync -f "${directory}"`);
  return {
    big,
    count,
    directory,
    volume,
    next: images.next,
    [Symbol.asyncDispose]: big[Symbol.asyncDispose],
  };
}

export const boot = ({ machine }: BigMachine): Promise<Run> => time(machine, ['/init', ...overlay(...main)]);
