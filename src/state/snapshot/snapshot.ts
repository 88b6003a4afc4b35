import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { makeDirectories } from '../../linux/directories.ts';
import { readIfThere } from '../../linux/read.ts';
import { removeTree } from '../../linux/remove.ts';
import { type Manifest, readManifest } from '../../volume/manifest.ts';
import type { Loss } from '../copy.ts';
import { databaseFile } from '../database.ts';
import { type ImagePlaces, layersIdentity, layersLooks } from '../identity.ts';
import { combineDatabases } from '../lowers/combine.ts';
import { type Lowers, layersOf } from '../lowers/lowers.ts';
import { makeMasks } from '../lowers/masks.ts';
import { followImage } from '../reconcile/follow.ts';
import { copiedUp, type Layers, listUpper, lowerOf, overlaps, type UpperNames } from '../reconcile/layers.ts';
import type { Breathe } from '../reconcile/merge.ts';
import { refuseNewer } from '../reconcile/refuse-newer.ts';
import { recall } from '../reconcile/remembered.ts';
import { imageRoots, rootPaths } from '../reconcile/roots.ts';
import type { Row } from '../reconcile/rows.ts';
import { type Updated, updateDatabase } from '../reconcile/update.ts';
import { copyState } from './copy-state.ts';

export type SnapshotRequest = {
  /** The volume's state directory and upper directory; without a database, the image's state is taken. */
  from: string;
  upper: string;
  /** Where Nix's state of this container is to be. */
  to: string;
  image: ImagePlaces;
  /** Further stores below it; left out: none. */
  lowers?: Lowers;
  xattrs: 'trusted' | 'user';
  /** Where Nix sees the store, and its state. */
  storeDir: string;
  nixStateDir: string;
  /** Files of our own on the volume. */
  files: { manifest: string; remembered: string; imageLinks: string };
  /** Where there is room for files of this boot. */
  scratch: string;
  breathe: Breathe;
  /** As for `copyState`. */
  onLoss?: (loss: Loss) => void;
};

export type Overlaps = {
  /** Names in the upper directory that are to be kept from view. */
  hidden: string[];
  /** Those that are to be seen instead of the image's. */
  hiding: string[];
};

/**
 * Gives a container that only reads a volume a state of its own: the volume's, in step with its image. Nothing is written to
 * the volume, where others may be at work meanwhile.
 * @throws {InitError} 78 for a database that is damaged, or newer than the image's Nix.
 */
export async function takeSnapshot(request: SnapshotRequest): Promise<Overlaps> {
  const { from, to, upper, image, lowers, breathe } = request;
  const source = existsSync(databaseFile(from)) ? from : image.stateDir;
  const records = await copyState(source, to, () => readRecords(request), breathe, request.onLoss);
  refuseNewer({ imageStateDir: image.stateDir, stateDir: to }, records.manifest);
  // After the database: what that says is there was there by then.
  const { names, whiteouts } = listVolume(upper);
  const stores = layersOf(image, lowers).map(({ storeDir }) => readdirSync(storeDir));
  const layers: Layers = { upper: names, ...lowerOf(stores) };
  if (lowers !== undefined) makeMasks(lowers.masks, stores);
  const untouched = source === from && whiteouts.length === 0 && overlaps(layers).length === 0;
  if (!existsSync(databaseFile(to)) || (untouched && (await isOfImage(records.manifest, request, stores))))
    return { hidden: [], hiding: [] };
  const copies = copiedUp(upper, names, request.xattrs);
  for (const name of copies) names.delete(name);
  const { superseded, hiding } = await bringInStep(request, stores, layers, records);
  return { hidden: [...copies, ...superseded], hiding };
}

/** What earlier boots have written about the volume; true of a copy of its state only when it stands still meanwhile. */
type Records = { manifest: Manifest | undefined; imageLinks: string | undefined; recalled: readonly Row[] };

const readRecords = ({ files, upper }: SnapshotRequest): Records => ({
  manifest: readManifest(files.manifest),
  imageLinks: readIfThere(files.imageLinks),
  recalled: recall(files.remembered, upper),
});

/** What `reconcile` does to a volume, done to a copy of its state: without what a kill or another boot would need. */
async function bringInStep(
  { to, image, lowers, storeDir, nixStateDir, scratch, breathe }: SnapshotRequest,
  stores: readonly (readonly string[])[],
  layers: Layers,
  { imageLinks, recalled }: Records,
): Promise<Updated> {
  makeDirectories(scratch);
  try {
    const combining = { image, lowers: lowers?.places ?? [], names: stores.slice(1), storeDir };
    if (lowers !== undefined) await combineDatabases({ ...combining, to: lowers.combined, breathe });
    const updated = await updateDatabase({
      stateDir: to,
      imageStateDir: lowers?.combined ?? image.stateDir,
      storeDir,
      layers: () => layers,
      imageCopy: `${scratch}/image`,
      recalled,
      // They are on the volume still, for whoever writes there.
      onTakenOut: () => {},
      onCommitted: ({ roots }) => rootPaths(imageRoots(to), roots),
      breathe,
    });
    const record = `${scratch}/image-links.json`;
    if (imageLinks !== undefined) writeFileSync(record, imageLinks);
    followImage({ updated, layers, from: image.stateDir, to, storeDir, nixStateDir, record });
    return updated;
  } finally {
    if (lowers !== undefined) removeTree(lowers.combined);
    removeTree(scratch);
  }
}

/** A volume that nobody has written to has no upper directory. */
const listVolume = (upper: string): UpperNames =>
  existsSync(upper) ? listUpper(upper) : { names: new Set(), whiteouts: [] };

/** Whether the volume was last brought in step with an image like this one. */
async function isOfImage(
  manifest: Manifest | undefined,
  { image, lowers, breathe }: SnapshotRequest,
  stores: readonly (readonly string[])[],
): Promise<boolean> {
  const known = manifest?.imageIdentity ?? undefined;
  if (known === undefined) return false;
  const layers = layersOf(image, lowers);
  const looks = layersLooks(layers);
  if (manifest?.imageStat === looks) return true;
  const { identity } = await layersIdentity(layers, looks, stores, manifest?.layers, () => breathe(0, 0));
  return known === identity;
}
