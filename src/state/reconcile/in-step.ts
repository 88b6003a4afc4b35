import { writeFileSync } from 'node:fs';
import { isDiskFull } from '../../errors.ts';
import { settledLooks } from '../../linux/looks.ts';
import { readIfThere } from '../../linux/read.ts';
import { type Manifest, readManifest } from '../../volume/manifest.ts';
import { type ImagePlaces, layersLooks } from '../identity.ts';
import { type Lowers, layersOf } from '../lowers/lowers.ts';
import { touchesLower } from './layers.ts';

/** What a volume is compared by with the image. */
export type Compared = {
  /** Where the image's store and state can be read, whatever is mounted over them. */
  image: ImagePlaces;
  /** Further stores below it, which can be listed and have databases of their own; left out: none. */
  lowers?: Lowers;
  upper: string;
  /** Store directories of another daemon below all of these, of which nobody tells what they have, nor when they change. */
  below?: readonly string[];
  files: Record<'manifest' | 'swept', string>;
};

/** The image that the manifest knows; undefined where it may not be believed. */
export const knownImage = (manifest: Manifest | undefined, { below = [] }: Compared): string | undefined =>
  below.length > 0 ? undefined : (manifest?.imageIdentity ?? undefined);

/**
 * Whether there is nothing to be done about the image, as at most boots: it is the one of the last time, and nobody has laid
 * anything over it since. By a handful of system calls, and apart from what there is to do otherwise, which is not loaded then.
 */
export function isInStep(compared: Compared): boolean {
  const { files, image, lowers, upper } = compared;
  const manifest = readManifest(files.manifest);
  if (knownImage(manifest, compared) === undefined) return false;
  const layers = layersOf(image, lowers);
  if (manifest?.imageStat !== layersLooks(layers)) return false;
  const look = settledLooks(upper);
  if (look && look === readIfThere(files.swept)) return true;
  const stores = layers.map(({ storeDir }) => storeDir);
  if (touchesLower(upper, stores)) return false;
  noteSwept(compared);
  return true;
}

/** Only spares the next boot going through the upper directory again. */
export function noteSwept({ upper, files }: Pick<Compared, 'upper' | 'files'>): void {
  const looks = settledLooks(upper);
  if (looks) ignoringFullDisk(() => writeFileSync(files.swept, looks));
}

/** For what only spares another boot some work. */
export function ignoringFullDisk(write: () => void): void {
  try {
    write();
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
}
