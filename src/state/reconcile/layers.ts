import { lstatSync, readdirSync } from 'node:fs';
import { hasXattr } from '../../linux/xattrs.ts';

/** The names in the two layers of the store, as Nix would see them were the other one not there. */
export type Layers = {
  upper: ReadonlySet<string>;
  lower: Layer;
  /** Names of `lower` that are not the image's: with a lower that comes and goes, a copy of the volume's own must not go. */
  lent?: ReadonlySet<string>;
  /** What another daemon has below them, which may be more than can be listed. */
  below?: { has(name: string): boolean };
};

/** A layer of which is only asked whether it has a name, and perhaps which. */
export type Layer = Pick<ReadonlySet<string>, 'has'> & { values?(): Iterable<string> };

/** Whether any layer has a name. */
export const isThere = (
  name: string,
  { lower, upper, below }: Record<'lower' | 'upper', Layer> & { below?: Layer },
): boolean => lower.has(name) || upper.has(name) || below?.has(name) === true;

/** What is in an upper directory: names of its own, and whiteouts (overlayfs.rst), which hide names of the lower layer. */
export type UpperNames = { names: Set<string>; whiteouts: string[] };

const storePathName = /^[0-9a-df-np-sv-z]{32}-/;

/** Whether a name in a store directory can be a store path's; others are Nix's own: `.links`, locks. */
export const isStorePathName = (name: string): boolean => storePathName.test(name);

/** Lists an upper directory. A missing one is empty. */
export function listUpper(upper: string): UpperNames {
  const names = new Set<string>();
  const whiteouts: string[] = [];
  for (const entry of readdirSync(upper, { withFileTypes: true })) {
    if (entry.isCharacterDevice() && lstatSync(`${upper}/${entry.name}`).rdev === 0)
      whiteouts.push(entry.name);
    else names.add(entry.name);
  }
  return { names, whiteouts };
}

/**
 * Whether a name in an upper directory is a copy that overlayfs made of what was in the lower (fs/overlayfs/copy_up.c): of a
 * directory, as much as was touched. It was a path's only together with the image that it came from.
 */
function isCopiedUp(path: string, xattrs: 'trusted' | 'user'): boolean {
  if (!hasXattr(path, `${xattrs}.overlay.origin`)) return false;
  const stat = lstatSync(path);
  // A whole file of the user's, too, can be a link to what was copied: optimising the store does that.
  return stat.isDirectory() || stat.nlink === 1;
}

/** The names of store paths in an upper directory that are only such copies. */
export const copiedUp = (upper: string, names: ReadonlySet<string>, xattrs: 'trusted' | 'user'): string[] =>
  [...names].filter((name) => isStorePathName(name) && isCopiedUp(`${upper}/${name}`, xattrs));

/** Of what lies below the upper layer, from what is in each store, the image's first. */
export function lowerOf([image = [], ...lowers]: readonly (readonly string[])[]): Pick<
  Layers,
  'lower' | 'lent'
> {
  if (lowers.length === 0) return { lower: layerOf(image) };
  const own = new Set(image);
  const names = lowers.flat();
  return { lower: new Set([...image, ...names]), lent: new Set(names.filter((name) => !own.has(name))) };
}

/**
 * A layer of what is in a directory. Node lists one in order, so that a name can be found without making a set of all of them,
 * which takes as long as it does to look for thousands.
 */
export function layerOf(names: readonly string[]): Layer {
  const isOrdered = names.every((name, index) => index === 0 || (names[index - 1] ?? '') <= name);
  const ordered = isOrdered ? names : names.toSorted();
  return { has: (name) => isAmong(ordered, name), values: () => ordered.values() };
}

function isAmong(ordered: readonly string[], name: string): boolean {
  let [from, to] = [0, ordered.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((ordered[middle] ?? '') < name) from = middle + 1;
    else to = middle;
  }
  return ordered[from] === name;
}

/** The names that both layers have: overlayfs would show directories among them merged. */
export const overlaps = ({ upper, lower }: Layers): string[] =>
  [...upper].filter((name) => isStorePathName(name) && lower.has(name));

/** The same of the upper layer and what lies below both. */
export const overBelow = ({ upper, below }: Layers): string[] =>
  below === undefined ? [] : [...upper].filter((name) => isStorePathName(name) && below.has(name));

/** From so many names on it takes longer to ask after each than to list an image of as many: per name a third of the time. */
const MANY_NAMES = 20_000;

/**
 * Whether something in the upper directory hides or changes what the lower layer has. Of a few names it asks after each, so that
 * it takes as long as the upper directory is, whatever the image's size.
 * @param many how many names are no longer a few.
 */
export function touchesLower(upper: string, lowers: readonly string[], many = MANY_NAMES): boolean {
  const { names, whiteouts } = listUpper(upper);
  if (whiteouts.length > 0) return true;
  if (names.size >= many)
    return lowers.some((lower) =>
      readdirSync(lower).some((name) => names.has(name) && isStorePathName(name)),
    );
  const below = namesBelow(lowers);
  return [...names].some((name) => isStorePathName(name) && below.has(name));
}

/** Further store directories, each asked after a name when somebody wants to know: a mounted store may not list its own. */
export const namesBelow = (directories: readonly string[]): NonNullable<Layers['below']> => ({
  has: (name) =>
    directories.some((path) => lstatSync(`${path}/${name}`, { throwIfNoEntry: false }) !== undefined),
});
