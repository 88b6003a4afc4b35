import { existsSync, unlinkSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDiskFull } from '../../errors.ts';
import { flushFileSystem } from '../../linux/flush.ts';
import { removeTree } from '../../linux/remove.ts';
import { FORMAT, readManifest, writeManifest } from '../../volume/manifest.ts';
import { databaseFile } from '../database.ts';
import { databaseSchemas, layersIdentity, layersLooks, mayBeAlike } from '../identity.ts';
import { combineDatabases } from '../lowers/combine.ts';
import { layersOf } from '../lowers/lowers.ts';
import { makeMasks } from '../lowers/masks.ts';
import { followImage } from './follow.ts';
import { type Compared, ignoringFullDisk, isInStep, knownImage, noteSwept } from './in-step.ts';
import { copiedUp, type Layers, listUpper, lowerOf, namesBelow, touchesLower } from './layers.ts';
import type { Breathe } from './merge.ts';
import { refuseNewer } from './refuse-newer.ts';
import { recall, remember } from './remembered.ts';
import { imageRoots, listRoots, rootPaths } from './roots.ts';
import type { Row } from './rows.ts';
import { makeOpaque, setAside } from './superseded.ts';
import { type LayersToCome, type Updated, type UpdateRequest, updateDatabase } from './update.ts';

export type ReconcileFiles = Record<
  'manifest' | 'remembered' | 'swept' | 'imageCopy' | 'superseded' | 'imageLinks',
  string
>;

export type ReconcileRequest = Compared & {
  /** Where Nix sees the store, and its state. */
  storeDir: string;
  nixStateDir: string;
  /** The volume's state directory. */
  stateDir: string;
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
  if (!request.always && isInStep(request)) return undefined;
  const { files, image, upper } = request;
  const manifest = readManifest(files.manifest);
  const lowers = layersOf(image, request.lowers);
  const stores = lowers.map(({ storeDir }) => storeDir);
  const looks = layersLooks(lowers);
  const known = request.always ? undefined : knownImage(manifest, request);
  // On other threads, while this one compares the databases.
  const listings = stores.map((store) => readdir(store));
  const listed = Promise.all(listings);
  const lower = listed.then(lowerOf);
  const roots = listRoots(imageRoots(request.stateDir));
  const identity = layersIdentity(lowers, looks, listings, manifest?.layers, () => request.breathe(0, 0));
  const read = Promise.allSettled([...listings, lower, roots, identity]);
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
    return await bringInStep(request, { listed, lower, roots, identity, looks });
  } finally {
    // After an error the image is about to be unmounted.
    await read;
  }
}

type Lower = {
  /** What is in each store, the image's first. */
  listed: Promise<string[][]>;
  lower: Promise<ReturnType<typeof lowerOf>>;
  /** The image's roots that there are. */
  roots: Promise<string[]>;
  identity: ReturnType<typeof layersIdentity>;
  looks: string;
};

async function bringInStep(
  request: ReconcileRequest,
  { listed, lower, roots, identity, looks }: Lower,
): Promise<Reconciled> {
  const { files, image, lowers, upper, below = [], stateDir, strategy, xattrs } = request;
  const form = { format: FORMAT, strategy, xattrs, imageStat: null, imageIdentity: null } as const;
  const { schema: nixSchema } = databaseSchemas(stateDir);
  const known = readManifest(files.manifest);
  const hadBelow = known?.below ?? false;
  const before = { ...form, ...(hadBelow && { below: true }) };
  writeManifest(files.manifest, { ...before, nixSchema, nix: known?.nix ?? null });

  const { names, whiteouts } = listUpper(upper);
  const copies = copiedUp(upper, names, xattrs);
  for (const name of copies) names.delete(name);
  let present: string[] | undefined;
  const layers = async (): Promise<Layers> => {
    present = await roots;
    return { upper: names, ...(await lower), below: namesBelow(below) };
  };
  let committed = false;
  const onCommitted = (updated: Updated): (() => void) => {
    committed = true;
    return rootPaths(imageRoots(stateDir), updated.roots, present);
  };
  const updating = { ...request, keepAway: hadBelow, onCommitted };
  const { updated, takenOut, away } = await updateAll(updating, listed, layers).catch((error: unknown) => {
    // Nothing has changed, so that the image of the last time can still boot, and be used to make room.
    if (isDiskFull(error) && known !== undefined && !committed)
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
  const { base: links } = followImage({ updated, layers: await layers(), ...places });

  remember(files.remembered, upper, takenOut, away);
  removeTree(files.imageCopy);
  // Of lowers whose rows nobody took, the next boot is to try again.
  const unknown = lowers !== undefined && !existsSync(databaseFile(stateDir));
  if (lowers !== undefined) removeTree(lowers.combined);
  flushFileSystem(dirname(files.manifest));
  noteSwept(request);
  // Of an older schema the rows lack what the image's have: Nix migrates the database, and the next boot completes them.
  const newest = databaseSchemas(image.stateDir).schema;
  const current = newest === null || nixSchema === null || nixSchema >= newest;
  // And whoever boots without those below must find what they had gone.
  const complete = current && !unknown && below.length === 0;
  const { identity: imageIdentity, layers: each } = await identity;
  const after = complete ? { imageIdentity, imageStat: looks, ...(each && { layers: each }) } : {};
  const nowBelow = below.length > 0 && { below: true };
  writeManifest(files.manifest, { ...form, nixSchema, nix: request.nixVersion(), ...after, ...nowBelow });
  return { ...updated, whiteouts: whiteouts.length, links };
}

type Updating = ReconcileRequest & Required<Pick<UpdateRequest, 'keepAway' | 'onCommitted'>>;

/** With further lowers, what is known of all of them is the image's. */
async function updateAll(
  request: Updating,
  listed: Promise<string[][]>,
  layers: LayersToCome,
): ReturnType<typeof updateRows> {
  const { image, lowers, storeDir, breathe } = request;
  if (lowers === undefined) return await updateRows(request, layers);
  const names = (await listed).slice(1);
  await combineDatabases({ image, lowers: lowers.places, names, storeDir, to: lowers.combined, breathe });
  return await updateRows({ ...request, image: { ...image, stateDir: lowers.combined } }, layers);
}

/** A volume without a database (the image has none either) has no rows to bring in step. */
async function updateRows(
  { image, stateDir, storeDir, upper, files, keepAway, onCommitted, breathe }: Updating,
  layers: LayersToCome,
): Promise<{ updated: Updated; takenOut: readonly Row[]; away: readonly Row[] }> {
  if (!existsSync(databaseFile(stateDir))) {
    const updated = { learnt: 0, forgotten: [], superseded: [], hiding: [], roots: [] };
    onCommitted(updated)();
    return { updated, takenOut: [], away: [] };
  }
  const recalled = recall(files.remembered, upper);
  let takenOut: readonly Row[] = [];
  let away: readonly Row[] = [];
  const updated = await updateDatabase({
    stateDir,
    imageStateDir: image.stateDir,
    storeDir,
    layers,
    imageCopy: files.imageCopy,
    recalled,
    keepAway,
    onTakenOut: (rows, gone) => {
      takenOut = rows;
      away = gone;
      // Until the transaction is on the disk, what it puts back is known nowhere else.
      const byPath = (list: readonly Row[]): Row[] => [
        ...new Map([...recalled, ...list].map((row) => [row.path, row])).values(),
      ];
      remember(files.remembered, upper, byPath(rows), byPath(gone));
    },
    onCommitted,
    breathe,
  });
  return { updated, takenOut, away };
}
