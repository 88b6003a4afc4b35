import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Exit, InitError, isDiskFull } from '../../errors.ts';
import { flushFileSystem, readIfThere, replaceFile } from '../../linux/files.ts';
import { FORMAT, type Manifest, readManifest, writeManifest } from '../../volume/manifest.ts';
import { databaseFile } from '../database.ts';
import { databaseSchemas, type ImagePlaces, imageIdentity, imageLooks } from '../identity.ts';
import { type Layers, listUpper, touchesLower, upperLooks } from './layers.ts';
import type { Breathe } from './merge.ts';
import { recall, remember } from './remembered.ts';
import { rootPaths } from './roots.ts';
import { makeOpaque, setAside } from './superseded.ts';
import { type Updated, updateDatabase } from './update.ts';

export type ReconcileRequest = {
  /** Where the image's store and state can be read, whatever is mounted over them. */
  image: ImagePlaces;
  /** Where Nix sees the store. */
  storeDir: string;
  /** The volume's state directory. */
  stateDir: string;
  upper: string;
  /** Files of our own on the volume. */
  files: { manifest: string; remembered: string; swept: string; imageCopy: string; superseded: string };
  strategy: string;
  xattrs: 'trusted' | 'user';
  /** Tells the version of the image's Nix; asked only when the image has changed. */
  nixVersion: () => string | null;
  breathe: Breathe;
  /** Goes through all of it although nothing seems to have changed. */
  always?: boolean;
};

export type Reconciled = Updated & { whiteouts: number };

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
  const looks = imageLooks(image);
  const known = request.always ? undefined : (manifest?.imageIdentity ?? undefined);
  if (known !== undefined && manifest?.imageStat === looks) {
    const look = upperLooks(upper);
    if (look !== undefined && look === readIfThere(files.swept)) return undefined;
    if (!touchesLower(upper, image.storeDir)) {
      noteSwept(request);
      return undefined;
    }
  }
  const lower = new Set(readdirSync(image.storeDir));
  const identity = await imageIdentity(image, lower, () => request.breathe(0, 0));
  if (manifest !== undefined && known === identity && !touchesLower(upper, image.storeDir)) {
    ignoringFullDisk(() => writeManifest(files.manifest, { ...manifest, imageStat: looks }));
    noteSwept(request);
    return undefined;
  }
  refuseNewer(request, manifest);
  return await bringInStep(request, lower, { identity, looks });
}

async function bringInStep(
  request: ReconcileRequest,
  lower: Set<string>,
  { identity, looks }: { identity: string; looks: string },
): Promise<Reconciled> {
  const { files, image, upper, stateDir, strategy, xattrs } = request;
  const before = { format: FORMAT, strategy, xattrs, imageStat: null, imageIdentity: null } as const;
  const { schema: nixSchema } = databaseSchemas(stateDir);
  const nix = readManifest(files.manifest)?.nix ?? null;
  writeManifest(files.manifest, { ...before, nixSchema, nix });

  const { names, whiteouts } = listUpper(upper);
  for (const name of whiteouts) rmSync(`${upper}/${name}`);
  const updated = await updateRows(request, { upper: names, lower });
  for (const name of updated.superseded) setAside(upper, name, files.superseded);
  for (const name of updated.hiding) makeOpaque(upper, name, xattrs);
  rootPaths(`${stateDir}/gcroots/image`, updated.roots);

  flushFileSystem(dirname(files.manifest));
  noteSwept(request);
  // Of an older schema the rows lack what the image's have: Nix migrates the database, and the next boot completes them.
  const newest = databaseSchemas(image.stateDir).schema;
  const complete = newest === null || nixSchema === null || nixSchema >= newest;
  const after = complete ? { imageIdentity: identity, imageStat: looks } : {};
  writeManifest(files.manifest, { ...before, nixSchema, nix: request.nixVersion(), ...after });
  return { ...updated, whiteouts: whiteouts.length };
}

/** A volume without a database (the image has none either) has no rows to bring in step. */
async function updateRows(
  { image, stateDir, storeDir, upper, files, breathe }: ReconcileRequest,
  layers: Layers,
): Promise<Updated> {
  if (!existsSync(databaseFile(stateDir)))
    return { learnt: 0, forgotten: [], superseded: [], hiding: [], roots: [] };
  return await updateDatabase({
    stateDir,
    imageStateDir: image.stateDir,
    storeDir,
    layers,
    imageCopy: files.imageCopy,
    recalled: recall(files.remembered, upper),
    onTakenOut: (rows) => replaceFile(files.remembered, JSON.stringify(remember(upper, rows))),
    breathe,
  });
}

/** Only spares the next boot going through the upper directory again. */
function noteSwept({ upper, files }: ReconcileRequest): void {
  const looks = upperLooks(upper);
  if (looks !== undefined) ignoringFullDisk(() => writeFileSync(files.swept, looks));
}

function ignoringFullDisk(write: () => void): void {
  try {
    write();
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
}

/** @throws {InitError} 78 when this image's Nix would not open the volume's database. */
export function refuseNewer(
  { image, stateDir }: Pick<ReconcileRequest, 'image' | 'stateDir'>,
  manifest: Manifest | undefined,
): void {
  const volume = databaseSchemas(stateDir);
  const own = databaseSchemas(image.stateDir);
  for (const kind of ['schema', 'ca'] as const) {
    const [theirs, ours] = [volume[kind], own[kind]];
    if (theirs === null || ours === null || theirs <= ours) continue;
    const writer = manifest?.nix == null ? 'a newer Nix' : `Nix ${manifest.nix}`;
    const name = kind === 'ca' ? 'ca-schema' : 'schema';
    throw new InitError({
      stage: 'reconcile',
      what: `the volume's Nix database, last used with ${writer}, is of ${name} ${theirs}; this image's Nix knows ${ours}`,
      errno: 'EINVAL',
      remedy: 'use an image with that Nix or a newer one, or another volume',
      exitCode: Exit.config,
    });
  }
}
