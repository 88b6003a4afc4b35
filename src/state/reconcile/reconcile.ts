import { existsSync, unlinkSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDiskFull } from '../../errors.ts';
import { flushFileSystem, readIfThere, removeTree } from '../../linux/files.ts';
import { settledLooks } from '../../linux/looks.ts';
import { FORMAT, readManifest, writeManifest } from '../../volume/manifest.ts';
import { databaseFile } from '../database.ts';
import { databaseSchemas, type ImagePlaces, layersIdentity, layersLooks, mayBeAlike } from '../identity.ts';
import { combineDatabases } from '../lowers/combine.ts';
import { type Lowers, layersOf } from '../lowers/lowers.ts';
import { makeMasks } from '../lowers/masks.ts';
import { followImage } from './follow.ts';
import { copiedUp, type Layers, listUpper, lowerOf, touchesLower } from './layers.ts';
import type { Breathe } from './merge.ts';
import { refuseNewer } from './refuse-newer.ts';
import { recall, remember } from './remembered.ts';
import type { Row } from './rows.ts';
import { makeOpaque, setAside } from './superseded.ts';
import { type Updated, updateDatabase } from './update.ts';

export type ReconcileFiles = Record<
  'manifest' | 'remembered' | 'swept' | 'imageCopy' | 'superseded' | 'imageLinks',
  string
>;

export type ReconcileRequest = {
  /** Where the image's store and state can be read, whatever is mounted over them. */
  image: ImagePlaces;
  /** Further stores below it; left out: none. */
  lowers?: Lowers;
  /** Where Nix sees the store, and its state. */
  storeDir: string;
  nixStateDir: string;
  /** The volume's state directory. */
  stateDir: string;
  upper: string;
  /** Files of our own on the volume. */
  files: ReconcileFiles;
  strategy: string;
  xattrs: 'trusted' | 'user';
  /** Tells the version of the image's Nix; asked only when the image has changed. */
  nixVersion: () => string | null;
  breathe: Breathe;
  /** Goes through all of it although nothing seems to have changed. */
  always?: boolean;
};

export type Reconciled = Updated & {
  whiteouts: number;
  /** Whether it was known what the last image had brought of profiles and roots. */
  links: 'known' | 'unknown' | 'damaged';
};

/**
 * Brings the volume in step with the image (DESIGN §6). Nothing is to be done, and that is known after a handful of system
 * calls, when the image is the one of the last time and nobody has laid anything over it since.
 * From its first change to its last the manifest knows no image: killed in between, the next boot does all of it again.
 * @returns undefined when there was nothing to do.
 * @throws {InitError} 78 for a database that is damaged, or newer than the image's Nix.
 */
export async function reconcile(request: ReconcileRequest): Promise<Reconciled | undefined> {
  const { files, image, upper } = request;
  const manifest = readManifest(files.manifest);
  const below = layersOf(image, request.lowers);
  const stores = below.map(({ storeDir }) => storeDir);
  const looks = layersLooks(below);
  const known = request.always ? undefined : (manifest?.imageIdentity ?? undefined);
  if (known !== undefined && manifest?.imageStat === looks) {
    const look = settledLooks(upper);
    if (look && look === readIfThere(files.swept)) return undefined;
    if (!touchesLower(upper, stores)) {
      noteSwept(request);
      return undefined;
    }
  }
  // Both on other threads, while this one compares the databases.
  const listings = stores.map((store) => readdir(store));
  const identity = layersIdentity(below, looks, listings, manifest?.layers, () => request.breathe(0, 0));
  try {
    const sameImage =
      manifest !== undefined &&
      known !== undefined &&
      mayBeAlike(looks, manifest.imageStat ?? looks) &&
      known === (await identity).identity;
    if (sameImage && !touchesLower(upper, stores)) {
      const { layers } = await identity;
      const seen = { ...manifest, imageStat: looks, ...(layers && { layers }) };
      ignoringFullDisk(() => writeManifest(files.manifest, seen));
      noteSwept(request);
      return undefined;
    }
    refuseNewer({ imageStateDir: image.stateDir, stateDir: request.stateDir }, manifest);
    return await bringInStep(request, { listings, identity, looks });
  } finally {
    // After an error the image is about to be unmounted.
    await Promise.allSettled([...listings, identity]);
  }
}

type Below = {
  /** What is in each store, the image's first. */
  listings: Promise<string[]>[];
  identity: ReturnType<typeof layersIdentity>;
  looks: string;
};

async function bringInStep(
  request: ReconcileRequest,
  { listings, identity, looks }: Below,
): Promise<Reconciled> {
  const { files, image, lowers, upper, stateDir, strategy, xattrs } = request;
  const before = { format: FORMAT, strategy, xattrs, imageStat: null, imageIdentity: null } as const;
  const { schema: nixSchema } = databaseSchemas(stateDir);
  const known = readManifest(files.manifest);
  writeManifest(files.manifest, { ...before, nixSchema, nix: known?.nix ?? null });

  const { names, whiteouts } = listUpper(upper);
  const copies = copiedUp(upper, names, xattrs);
  for (const name of copies) names.delete(name);
  const listed = Promise.all(listings);
  const layers = listed.then((stores) => ({ upper: names, ...lowerOf(stores) }));
  const { updated, takenOut } = await updateAll(request, listed, layers).catch((error: unknown) => {
    // Nothing has changed, so that the image of the last time can still boot, and be used to make room.
    if (isDiskFull(error) && known !== undefined)
      ignoringFullDisk(() => writeManifest(files.manifest, known));
    throw error;
  });
  // Not before their rows are back: without them nobody would know that those are missing.
  for (const name of whiteouts) unlinkSync(`${upper}/${name}`);
  for (const name of [...copies, ...updated.superseded]) setAside(upper, name, files.superseded);
  for (const name of updated.hiding) makeOpaque(upper, name, xattrs);
  if (lowers !== undefined) makeMasks(lowers.masks, await listed);
  const { storeDir, nixStateDir } = request;
  const places = { from: image.stateDir, to: stateDir, storeDir, nixStateDir, record: files.imageLinks };
  const { base: links } = followImage({ updated, layers: await layers, ...places });

  remember(files.remembered, upper, takenOut);
  removeTree(files.imageCopy);
  // Of lowers whose rows nobody took, the next boot is to try again.
  const unknown = lowers !== undefined && !existsSync(databaseFile(stateDir));
  if (lowers !== undefined) removeTree(lowers.combined);
  flushFileSystem(dirname(files.manifest));
  noteSwept(request);
  // Of an older schema the rows lack what the image's have: Nix migrates the database, and the next boot completes them.
  const newest = databaseSchemas(image.stateDir).schema;
  const complete = !unknown && (newest === null || nixSchema === null || nixSchema >= newest);
  const { identity: imageIdentity, layers: each } = await identity;
  const after = complete ? { imageIdentity, imageStat: looks, ...(each && { layers: each }) } : {};
  writeManifest(files.manifest, { ...before, nixSchema, nix: request.nixVersion(), ...after });
  return { ...updated, whiteouts: whiteouts.length, links };
}

/** With further lowers, what is known of all of them is the image's. */
async function updateAll(
  request: ReconcileRequest,
  listed: Promise<string[][]>,
  layers: Promise<Layers>,
): ReturnType<typeof updateRows> {
  const { image, lowers, storeDir, breathe } = request;
  if (lowers === undefined) return await updateRows(request, layers);
  const names = (await listed).slice(1);
  await combineDatabases({ image, lowers: lowers.places, names, storeDir, to: lowers.combined, breathe });
  return await updateRows({ ...request, image: { ...image, stateDir: lowers.combined } }, layers);
}

/** A volume without a database (the image has none either) has no rows to bring in step. */
async function updateRows(
  { image, stateDir, storeDir, upper, files, breathe }: ReconcileRequest,
  layers: Promise<Layers>,
): Promise<{ updated: Updated; takenOut: readonly Row[] }> {
  if (!existsSync(databaseFile(stateDir))) {
    const updated = { learnt: 0, forgotten: [], superseded: [], hiding: [], roots: [] };
    return { updated, takenOut: [] };
  }
  const recalled = recall(files.remembered, upper);
  let takenOut: readonly Row[] = [];
  const updated = await updateDatabase({
    stateDir,
    imageStateDir: image.stateDir,
    storeDir,
    layers,
    imageCopy: files.imageCopy,
    recalled,
    onTakenOut: (rows) => {
      takenOut = rows;
      // Until the transaction is on the disk, what it puts back is known nowhere else.
      const all = new Map([...recalled, ...rows].map((row) => [row.path, row]));
      remember(files.remembered, upper, [...all.values()]);
    },
    breathe,
  });
  return { updated, takenOut };
}

/** Only spares the next boot going through the upper directory again. */
function noteSwept({ upper, files }: ReconcileRequest): void {
  const looks = settledLooks(upper);
  if (looks) ignoringFullDisk(() => writeFileSync(files.swept, looks));
}

function ignoringFullDisk(write: () => void): void {
  try {
    write();
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
}
