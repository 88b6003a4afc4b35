import type { Config } from '../config/keys.ts';
import { contains } from '../linux/paths.ts';
import { type Lowers, stateBeside } from '../state/lowers/lowers.ts';
import { maskOf } from '../state/lowers/masks.ts';
import type { Facts } from './facts.ts';
import type { Step } from './plan.ts';
import { runLayout } from './run-layout.ts';
import type { Unsupported } from './strategy.ts';
import { fault } from './unfit.ts';

/** Why further lowers cannot be used. One that is away is never left out: what needs it would be taken for garbage. */
export function lowersUnfit(
  { lowers }: Facts,
  { storeDir, stateDir, cacheDir }: Config,
): Unsupported | undefined {
  for (const { store, there } of lowers) {
    const other = [storeDir, stateDir, cacheDir].find((dir) => contains(dir, store) || contains(store, dir));
    if (other !== undefined)
      return fault(`the lower ${store} overlaps ${other}`, 'EINVAL', 'mount it elsewhere, and set lowers so');
    if (!there) {
      const remedy = `docker run -v …:${store}:ro, or take it out of lowers`;
      return fault(`the lower ${store} is no directory`, 'ENOENT', remedy);
    }
  }
  return undefined;
}

/** Where they are while the store is mounted, what is made of them in `masks` and `combined`; undefined without any. */
export function lowersOf(
  { lowers }: Config,
  { masks, combined }: Omit<Lowers, 'places'>,
): { lowers?: Lowers } {
  if (lowers.length === 0) return {};
  const places = lowers.map((store, index) => ({
    storeDir: runLayout.lower(index + 1),
    stateDir: stateBeside(store),
  }));
  return { lowers: { places, masks, combined } };
}

/** Their layers of the overlay, below the image's: each under its mask. */
export const layersBelow = ({ lowers }: { lowers?: Lowers }): string[] =>
  lowers?.places.flatMap(({ storeDir }, index) => [maskOf(lowers.masks, index + 1), storeDir]) ?? [];

/** Binds them where their paths are short, and says what can be expected of them. */
export function bindLowers({ lowers }: Facts, { masks }: Pick<Lowers, 'masks'>): Step[] {
  return lowers.flatMap(({ store, database }, index): Step[] => {
    const target = runLayout.lower(index + 1);
    const beside = stateBeside(store);
    const text = `the lower ${store} has no Nix database beside it (${beside}): what is in it can be run, but Nix does not know it`;
    return [
      ...(database ? [] : [{ do: 'warn', text } as const]),
      { do: 'mkdir', path: target, mode: 0o755 },
      { do: 'bind', source: store, target, readOnly: true },
      { do: 'mkdir', path: maskOf(masks, index + 1), mode: 0o755 },
    ];
  });
}
