import type { Places } from './destination.ts';
import { currentGeneration } from './generation.ts';
import type { Entry, Links } from './links.ts';

/** What an image brought, as it was placed in the volume: the target of a link, null for a directory. */
export type Base = ReadonlyMap<string, string | null>;

/** Whether an entry is still what an image brought, or still not there. */
export function isSame(base: string | null | undefined, entry: Entry | undefined): boolean {
  if (entry === undefined) return base === undefined;
  if (entry.kind === 'symlink') return base === entry.target;
  return entry.kind === 'directory' && base === null;
}

/** An image's links, as they are in an image. */
export function baseOf(links: Links): Map<string, string | null> {
  const base = new Map<string, string | null>();
  for (const [path, entry] of links) {
    if (entry.kind === 'symlink') base.set(path, entry.target);
    if (entry.kind === 'directory') base.set(path, null);
  }
  return base;
}

/**
 * An image's links, as they are in the volume after the merge: where a profile's generation had to have another number than
 * in the image, it is known by that. Otherwise the next merge would take our own change for a user's.
 */
export function placedBase(theirs: Links, volume: Links, places: Places): Base {
  const base = baseOf(theirs);
  for (const path of theirs.keys()) {
    const wanted = currentGeneration(path, theirs, places);
    const got = currentGeneration(path, volume, places);
    if (wanted === undefined || got === undefined || theirs.has(got.path)) continue;
    const link = theirs.get(wanted.path);
    const placed = volume.get(got.path);
    const head = volume.get(path);
    if (link?.kind !== 'symlink' || placed?.kind !== 'symlink' || head?.kind !== 'symlink') continue;
    if (link.target !== placed.target) continue;
    base.set(path, head.target).set(got.path, placed.target);
  }
  return base;
}
