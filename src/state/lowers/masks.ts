import { readdirSync, unlinkSync } from 'node:fs';
import { makeDirectories } from '../../linux/directories.ts';
import { removeTree } from '../../linux/remove.ts';
import { makeWhiteout } from '../../linux/whiteout.ts';
import { isStorePathName } from '../reconcile/layers.ts';

/** Where the mask of a further lower is, the first being number 1. */
export const maskOf = (masks: string, number: number): string => `${masks}/${number}`;

/**
 * Makes a layer for each further lower that goes right above it, with a whiteout for what must not be seen of it: what a layer
 * above has, since overlayfs would show directories of one name merged, and what is no store path.
 * @param masks a directory of which nobody has anything mounted.
 * @param names what is in each store, the image's first.
 */
export function makeMasks(masks: string, [image = [], ...lowers]: readonly (readonly string[])[]): void {
  makeDirectories(masks, 0o755);
  const stale = new Set(readdirSync(masks));
  const above = new Set(image);
  for (const [index, names] of lowers.entries()) {
    const mask = maskOf(masks, index + 1);
    stale.delete(`${index + 1}`);
    makeMask(
      mask,
      names.filter((name) => above.has(name) || !isStorePathName(name)),
    );
    for (const name of names) above.add(name);
  }
  for (const name of stale) removeTree(`${masks}/${name}`);
}

function makeMask(mask: string, hidden: readonly string[]): void {
  makeDirectories(mask, 0o755);
  const stale = new Set(readdirSync(mask));
  for (const name of hidden) if (!stale.delete(name)) makeWhiteout(`${mask}/${name}`);
  for (const name of stale) unlinkSync(`${mask}/${name}`);
}
