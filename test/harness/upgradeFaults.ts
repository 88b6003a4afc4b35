import type { Suite } from './base.ts';
import { type Boot, type Container, execOk } from './container.ts';
import { buildAll, packageOf } from './nix.ts';
import { upgradeImage } from './upgradeImages.ts';
import { whiteouts } from './upper.ts';
import type { Volume } from './volume.ts';

/** What can be wrong after an image upgrade, by packages. */
export interface Faults {
  /** Built although the new image ships them. */
  rebuilt: string[];
  /** Valid to Nix, and not there. */
  dangling: string[];
  /** Paths of the new image that garbage collection hid from every later container. */
  hidden: string[];
}

/** Uses image A, then its upgrade B, on a new volume, under any init. */
export async function upgradeFaults(
  suite: Suite,
  volume: Volume,
  start: (options: Omit<Boot, 'command'>) => Promise<Container>,
): Promise<Faults> {
  {
    await using a = await start({ image: await upgradeImage(suite, 'A'), volume: volume.name });
    await buildAll(a, 'old', 'd', 'on-old');
  }
  await using b = await start({ image: await upgradeImage(suite, 'B'), volume: volume.name });
  const dangling = await danglingPaths(b);
  const { built } = await buildAll(b, 'new', 'c');
  await execOk(b, 'nix-collect-garbage');
  return {
    rebuilt: built,
    dangling: dangling.map(packageOf),
    hidden: (await whiteouts(b)).map(packageOf),
  };
}

/** Paths that Nix calls valid and that do not exist. */
export async function danglingPaths(container: Container): Promise<string[]> {
  const script = 'nix path-info --all | while read -r path; do [ -e "$path" ] || echo "$path"; done';
  return (await execOk(container, 'sh', '-euc', script)).split('\n').filter((path) => path !== '');
}
