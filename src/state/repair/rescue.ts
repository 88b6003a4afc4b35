import { existsSync, renameSync } from 'node:fs';
import { basename } from 'node:path';
import { Exit, InitError } from '../../errors.ts';
import { makeDirectories } from '../../linux/directories.ts';
import { flushDirectory, flushFileSystem } from '../../linux/flush.ts';
import { removeTree } from '../../linux/remove.ts';
import { exchange } from '../../linux/rename.ts';
import { volumeLayout } from '../../volume/layout.ts';
import { readManifest, writeManifest } from '../../volume/manifest.ts';
import { findModified } from '../check/contents.ts';
import type { NixContext } from '../check/nix.ts';
import type { VolumePlaces } from '../check/places.ts';
import { copyTree } from '../copy.ts';
import { databaseFile, withDatabase } from '../database.ts';
import { isPerBoot } from '../parts.ts';
import { isStorePathName, listUpper } from '../reconcile/layers.ts';
import { refuseNewer } from '../reconcile/refuse-newer.ts';
import { putRows, type Row } from '../reconcile/rows.ts';
import { listTree } from '../tree.ts';
import { salvage } from './salvage.ts';
import { wholeRows } from './whole.ts';

export type RescueRequest = NixContext & {
  places: VolumePlaces;
  onProgress: (done: number, total: number) => void;
};

export type Rescued = {
  /** Where the damaged database is now. */
  aside: string;
  /** Paths of the volume that are valid again. */
  registered: string[];
  /** Paths of the volume that are no longer: garbage to Nix. */
  lost: string[];
};

/** Removes what a rescue that was killed has left. */
export const clearRescue = ({ volume }: VolumePlaces): void => removeTree(volumeLayout(volume.root).rescue);

/**
 * Puts the image's database in the place of a damaged one, with those rows of the damaged one that can be read and are
 * proved: their path is on the volume, its contents are those of its hash, and all that it refers to is valid.
 * The new one is made beside, flushed, and exchanged with the old in one step, so that a kill at any instant leaves one of
 * them; and before that the manifest forgets the image, so that the next boot brings the volume in step.
 * @throws {InitError} 78 when this image's Nix could not have made the old one, or the image has none.
 */
export async function rescueDatabase(request: RescueRequest): Promise<Rescued> {
  const { places } = request;
  const { stateDir, volume } = places;
  const layout = volumeLayout(volume.root);
  const manifest = readManifest(layout.manifest);
  refuseNewer({ imageStateDir: volume.image.stateDir, stateDir }, manifest);
  if (!existsSync(databaseFile(volume.image.stateDir))) throw noDatabase();
  if (manifest !== undefined)
    writeManifest(layout.manifest, { ...manifest, imageIdentity: null, imageStat: null });
  try {
    const fates = await makeAnew(request, layout.rescue);
    flushFileSystem(layout.rescue);
    return { aside: replaceDatabase(layout), ...fates };
  } finally {
    // A volume that ran full must not stay full of what nobody can use.
    clearRescue(places);
  }
}

const noDatabase = (): InitError =>
  new InitError({
    stage: 'check',
    what: 'the Nix database is damaged, and this image has none to begin anew with',
    errno: 'ENOENT',
    remedy: 'use an image in which Nix has been used',
    exitCode: Exit.config,
  });

/** Exchanges the new database with the old. @returns where the old one is now. */
function replaceDatabase({ rescue, state, trash }: ReturnType<typeof volumeLayout>): string {
  const aside = `${trash}/db-${Date.now()}`;
  makeDirectories(trash);
  makeDirectories(`${state}/db`);
  renameSync(`${rescue}/db`, aside);
  exchange(aside, `${state}/db`);
  for (const directory of [trash, state]) flushDirectory(directory);
  return aside;
}

/** Makes a state directory with the image's database and what can be saved of the old one. */
async function makeAnew(request: RescueRequest, rescue: string): Promise<Omit<Rescued, 'aside'>> {
  const { places } = request;
  const { stateDir, volume } = places;
  const image = `${volume.image.stateDir}/db`;
  makeDirectories(rescue);
  await copyTree(
    image,
    `${rescue}/db`,
    listTree(image, (path) => isPerBoot(`db/${path}`)),
    () => {},
  );
  const damaged = {
    stage: 'check',
    what: "the image's Nix database is damaged",
    remedy: 'use another image',
  } as const;
  return await withDatabase(rescue, damaged, async (database) => {
    // All of it into one file, of which the salvage takes the first page.
    database.exec('pragma wal_checkpoint(truncate)');
    const known = new Set(
      database
        .prepare('select path from ValidPaths')
        .all()
        .map(({ path }) => String(path)),
    );
    const old = databaseFile(stateDir);
    const salvaged = existsSync(old) ? salvage(old, databaseFile(rescue), `${rescue}/damaged`) : [];
    const proved = await prove(request, salvaged, known);
    database.exec('begin immediate');
    putRows(database, proved);
    database.exec('commit');
    const registered = proved.map(({ path }) => path).sort();
    const saved = new Set(registered);
    const { names } = listUpper(volume.upper);
    const cached = [...names].filter(isStorePathName).map((name) => `${places.storeDir}/${name}`);
    return { registered, lost: cached.filter((path) => !saved.has(path) && !known.has(path)).sort() };
  });
}

async function prove(
  { places, onProgress, ...context }: RescueRequest,
  salvaged: readonly Row[],
  known: ReadonlySet<string>,
): Promise<Row[]> {
  const { upper } = places.volume;
  const { names } = listUpper(upper);
  const present = salvaged.filter(({ path }) => names.has(basename(path)) && !known.has(path));
  const whole = wholeRows(present, known);
  const candidates = whole.map(({ path, hash, narSize }) => ({
    path,
    file: `${upper}/${basename(path)}`,
    says: { hash, narSize: Number(narSize ?? 0) },
  }));
  const modified = new Set(
    (await findModified({ ...context, candidates, onProgress })).map(({ path }) => path),
  );
  return wholeRows(
    whole.filter(({ path }) => !modified.has(path)),
    known,
  );
}
