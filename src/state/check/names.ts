import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { hasErrno } from '../../errors.ts';
import { hasXattr } from '../../linux/xattrs.ts';
import type { Layer } from '../reconcile/layers.ts';
import { copiedUp, type Layers, listUpper, namesBelow, overlaps } from '../reconcile/layers.ts';
import { type Places, visibleStore } from './places.ts';

/** The names in the layers of a store. */
export type Names = Layers & {
  /** Names that the upper layer hides. */
  whiteouts: ReadonlySet<string>;
  /** Directories that both layers have and overlayfs shows merged, as far as that can be seen. */
  merging: ReadonlySet<string>;
};

/**
 * Lists the layers. A store without a volume counts as an upper layer: nothing lies below it.
 * @param marks where overlayfs keeps its marks, if they can be seen.
 */
export function listNames(places: Places, marks: 'trusted' | 'user' | undefined): Names {
  const { volume } = places;
  if (volume === undefined) {
    return {
      upper: namesIn(visibleStore(places)),
      lower: new Set(),
      whiteouts: new Set(),
      merging: new Set(),
    };
  }
  const lower = new Set(imageAndLowers(volume).flatMap((store) => [...namesIn(store)]));
  const below = namesBelow(volume.below);
  const { names: upper, whiteouts } = listUpper(volume.upper);
  if (marks === undefined) return { upper, lower, below, whiteouts: new Set(whiteouts), merging: new Set() };
  // What is left of a path that another image had.
  for (const name of copiedUp(volume.upper, upper, marks)) if (!lower.has(name)) upper.delete(name);
  const merging = overlaps({ upper, lower }).filter((name) => isMerging(`${volume.upper}/${name}`, marks));
  return { upper, lower, below, whiteouts: new Set(whiteouts), merging: new Set(merging) };
}

/** What is in a store directory. */
export function namesIn(directory: string): Set<string> {
  try {
    return new Set(readdirSync(directory));
  } catch (error) {
    // An image may have no store of its own.
    if (hasErrno(error, 'ENOENT')) return new Set();
    throw error;
  }
}

const isMerging = (path: string, marks: 'trusted' | 'user'): boolean =>
  lstatSync(path).isDirectory() && !hasXattr(path, `${marks}.overlay.opaque`);

export type LiveLayers = Record<'upper' | 'lower', Layer> & { below?: Layer };

/** The layers as they are at the moment of asking: for who decides while Nix is at work. What is hidden is there. */
export function liveLayers(places: Places): LiveLayers {
  const { volume } = places;
  const there = (path: string): boolean => {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    return stat !== undefined && !stat.isCharacterDevice();
  };
  const in_ = (directory: string) => ({ has: (name: string): boolean => there(`${directory}/${name}`) });
  if (volume === undefined) return { upper: in_(visibleStore(places)), lower: { has: () => false } };
  const stores = imageAndLowers(volume).map(in_);
  return {
    upper: in_(volume.upper),
    lower: { has: (name) => stores.some((store) => store.has(name)) },
    below: namesBelow(volume.below),
  };
}

const imageAndLowers = ({ image, lowers }: NonNullable<Places['volume']>): string[] =>
  [image, ...lowers].map(({ storeDir }) => storeDir);

/** Where the contents of a path can be read. */
export function contentsOf(places: Places, name: string, { upper }: LiveLayers): string {
  const { kind, volume } = places;
  const visible = visibleStore(places);
  if (kind !== 'volume' || volume === undefined) return `${visible}/${name}`;
  if (upper.has(name)) return `${volume.upper}/${name}`;
  const stores = [...imageAndLowers(volume), ...volume.below];
  const store = stores.find((directory) => existsSync(`${directory}/${name}`));
  return `${store ?? visible}/${name}`;
}
