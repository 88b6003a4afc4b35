import { existsSync, unlinkSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDiskFull } from '../../errors.ts';
import { flushFileSystem, readIfThere, removeTree } from '../../linux/files.ts';
import { settledLooks } from '../../linux/looks.ts';
import { FORMAT, readManifest, writeManifest } from '../../volume/manifest.ts';
import { databaseFile } from '../database.ts';
import { databaseSchemas, type ImagePlaces, imageIdentity, imageLooks, mayBeAlike } from '../identity.ts';
import { followImage } from './follow.ts';
import { copiedUp, listUpper, namesBelow, touchesLower } from './layers.ts';
import type { Breathe } from './merge.ts';
import { refuseNewer } from './refuse-newer.ts';
import { recall, remember } from './remembered.ts';
import type { Row } from './rows.ts';
import { makeOpaque, setAside } from './superseded.ts';
import { type LayersToCome, type Updated, updateDatabase } from './update.ts';

export type ReconcileFiles = Record<
  'manifest' | 'remembered' | 'swept' | 'imageCopy' | 'superseded' | 'imageLinks',
  string
>;

export type ReconcileRequest = {
  /** Where the image's store and state can be read, whatever is mounted over them. */
  image: ImagePlaces;
  /** Where Nix sees the store, and its state. */
  storeDir: string;
  nixStateDir: string;
  /** The volume's state directory. */
  stateDir: string;
  upper: string;
  /** Store directories below the image's, of which nobody tells when they change. */
  below?: readonly string[];
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
  const { files, image, upper, below = [] } = request;
  const manifest = readManifest(files.manifest);
  const looks = imageLooks(image);
  const unchecked = request.always || below.length > 0;
  const known = unchecked ? undefined : (manifest?.imageIdentity ?? undefined);
  if (known !== undefined && manifest?.imageStat === looks) {
    const look = settledLooks(upper);
    if (look && look === readIfThere(files.swept)) return undefined;
    if (!touchesLower(upper, image.storeDir)) {
      noteSwept(request);
      return undefined;
    }
  }
  // Both on other threads, while this one compares the databases.
  const lower = readdir(image.storeDir).then((names) => new Set(names));
  const identity = imageIdentity(image, lower, () => request.breathe(0, 0));
  const read = Promise.allSettled([lower, identity]);
  try {
    const sameImage =
      manifest !== undefined &&
      known !== undefined &&
      mayBeAlike(looks, manifest.imageStat ?? looks) &&
      known === (await identity);
    if (sameImage && !touchesLower(upper, image.storeDir)) {
      ignoringFullDisk(() => writeManifest(files.manifest, { ...manifest, imageStat: looks }));
      noteSwept(request);
      return undefined;
    }
    refuseNewer({ imageStateDir: image.stateDir, stateDir: request.stateDir }, manifest);
    return await bringInStep(request, { lower, identity, looks });
  } finally {
    // After an error the image is about to be unmounted.
    await read;
  }
}

type Image = { lower: Promise<ReadonlySet<string>>; identity: Promise<string>; looks: string };

async function bringInStep(
  request: ReconcileRequest,
  { lower, identity, looks }: Image,
): Promise<Reconciled> {
  const { files, image, upper, below = [], stateDir, strategy, xattrs } = request;
  const form = { format: FORMAT, strategy, xattrs, imageStat: null, imageIdentity: null } as const;
  const { schema: nixSchema } = databaseSchemas(stateDir);
  const known = readManifest(files.manifest);
  const hadBelow = known?.below ?? false;
  const before = { ...form, ...(hadBelow && { below: true }) };
  writeManifest(files.manifest, { ...before, nixSchema, nix: known?.nix ?? null });

  const { names, whiteouts } = listUpper(upper);
  const copies = copiedUp(upper, names, xattrs);
  for (const name of copies) names.delete(name);
  const layers = { upper: names, lower, below: namesBelow(below) };
  const { updated, takenOut, away } = await updateRows(request, layers, hadBelow).catch((error: unknown) => {
    // Nothing has changed, so that the image of the last time can still boot, and be used to make room.
    if (isDiskFull(error) && known !== undefined)
      ignoringFullDisk(() => writeManifest(files.manifest, known));
    throw error;
  });
  // Not before their rows are back: without them nobody would know that those are missing.
  for (const name of whiteouts) unlinkSync(`${upper}/${name}`);
  for (const name of [...copies, ...updated.superseded]) setAside(upper, name, files.superseded);
  for (const name of updated.hiding) makeOpaque(upper, name, xattrs);
  const { storeDir, nixStateDir } = request;
  const places = { from: image.stateDir, to: stateDir, storeDir, nixStateDir, record: files.imageLinks };
  const { base: links } = followImage({ updated, layers: { ...layers, lower: await lower }, ...places });

  remember(files.remembered, upper, takenOut, away);
  removeTree(files.imageCopy);
  flushFileSystem(dirname(files.manifest));
  noteSwept(request);
  // Of an older schema the rows lack what the image's have: Nix migrates the database, and the next boot completes them.
  const newest = databaseSchemas(image.stateDir).schema;
  // And whoever boots without those below must find what they had gone.
  const complete = below.length === 0 && (newest === null || nixSchema === null || nixSchema >= newest);
  const after = complete ? { imageIdentity: await identity, imageStat: looks } : {};
  const nowBelow = below.length > 0 && { below: true };
  writeManifest(files.manifest, { ...form, nixSchema, nix: request.nixVersion(), ...after, ...nowBelow });
  return { ...updated, whiteouts: whiteouts.length, links };
}

/** A volume without a database (the image has none either) has no rows to bring in step. */
async function updateRows(
  { image, stateDir, storeDir, upper, files, breathe }: ReconcileRequest,
  layers: LayersToCome,
  keepAway: boolean,
): Promise<{ updated: Updated; takenOut: readonly Row[]; away: readonly Row[] }> {
  if (!existsSync(databaseFile(stateDir))) {
    const updated = { learnt: 0, forgotten: [], superseded: [], hiding: [], roots: [] };
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
    breathe,
  });
  return { updated, takenOut, away };
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
