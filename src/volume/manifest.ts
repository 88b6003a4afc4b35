import { Exit, InitError } from '../errors.ts';
import { readIfThere } from '../linux/read.ts';
import { replaceFile } from '../linux/replace.ts';

/** The volume's format that this version reads and writes. */
export const FORMAT = 1;

/** The fingerprint of one of several layers, and how it looked when that was taken. */
export type LayerIdentity = { looks: string; identity: string };

/** What an earlier boot wrote about the volume. Checked by hand: it is read on every boot, and zod takes its time. */
export type Manifest = {
  format: typeof FORMAT;
  strategy: string;
  /** Overlayfs marks in `trusted.*` and in `user.*` attributes do not understand each other. Null: there are none yet. */
  xattrs: 'trusted' | 'user' | null;
  /** Fingerprint of the image that the volume's state is in step with; null: with none, it must be reconciled. */
  imageIdentity: string | null;
  /** How that image looked when the fingerprint was taken, to spare taking it again. */
  imageStat: string | null;
  /** Schema number of the Nix database when this was written; null: there was none. */
  nixSchema: number | null;
  /** The version of Nix that the image had; missing or null: not known. */
  nix?: string | null;
  /** With further lowers: of the image and of each of them, of which `imageIdentity` is made then. */
  layers?: LayerIdentity[];
  /** Whether the last boot had a store below the image's, which may be away the next time. */
  below?: boolean;
};

const refuse = (what: string, remedy: string, cause?: unknown): InitError =>
  new InitError({ stage: 'facts', what, errno: 'EINVAL', remedy, exitCode: Exit.config, cause });

/**
 * Reads the manifest.
 * @returns undefined for a volume without one: new, or made by the shell recipe.
 * @throws {InitError} 78 for a manifest of a newer version or a damaged one.
 */
export function readManifest(path: string): Manifest | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  const damaged = (cause?: unknown): InitError =>
    refuse(`${path} is damaged`, `rm ${path} # the volume is adopted anew`, cause);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw damaged(error);
  }
  if (typeof value !== 'object' || value === null || !('format' in value)) throw damaged();
  if (value.format !== FORMAT) {
    throw refuse(
      `${path} is of format ${String(value.format)}, not ${FORMAT}`,
      'use the nix-cache-init version that wrote it, or another volume',
    );
  }
  if (!isManifest(value)) throw damaged();
  return value;
}

function isManifest(value: object): value is Manifest {
  const { strategy, xattrs, imageIdentity, imageStat, nixSchema, nix, layers, below } = value as Record<
    string,
    unknown
  >;
  const text = (field: unknown): boolean => field === null || typeof field === 'string';
  return (
    typeof strategy === 'string' &&
    (xattrs === 'trusted' || xattrs === 'user' || xattrs === null) &&
    text(imageIdentity) &&
    text(imageStat) &&
    (nixSchema === null || typeof nixSchema === 'number') &&
    (nix === undefined || text(nix)) &&
    (layers === undefined || (Array.isArray(layers) && layers.every(isLayerIdentity))) &&
    (below === undefined || typeof below === 'boolean')
  );
}

function isLayerIdentity(value: unknown): value is LayerIdentity {
  if (typeof value !== 'object' || value === null || !('looks' in value) || !('identity' in value))
    return false;
  return typeof value.looks === 'string' && typeof value.identity === 'string';
}

/** Replaces the manifest: a kill or a power cut at any instant leaves the old one or the new one. */
export function writeManifest(path: string, manifest: Manifest): void {
  replaceFile(path, `${JSON.stringify(manifest, null, 2)}\n`);
}
