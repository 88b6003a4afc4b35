import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import * as z from 'zod/mini';
import { Exit, errnoOf, InitError } from '../errors.ts';

/** The volume's format that this version reads and writes. */
export const FORMAT = 1;

const schema = z.looseObject({
  format: z.literal(FORMAT),
  strategy: z.string(),
  /** Overlayfs marks in `trusted.*` and in `user.*` attributes do not understand each other. */
  xattrs: z.enum(['trusted', 'user']),
  /** Fingerprint of the image database that the volume's was made from; null: not known (adopted). */
  imageIdentity: z.nullable(z.string()),
  /** Schema number of the Nix database when this was written; null: there was none. */
  nixSchema: z.nullable(z.int()),
});

export type Manifest = z.infer<typeof schema>;

const refuse = (what: string, remedy: string, cause?: unknown): InitError =>
  new InitError({ stage: 'facts', what, errno: 'EINVAL', remedy, exitCode: Exit.config, cause });

/**
 * Reads what an earlier boot wrote about the volume.
 * @returns undefined for a volume without a manifest: new, or made by the shell recipe.
 * @throws {InitError} 78 for a manifest of a newer version or a damaged one.
 */
export function readManifest(path: string): Manifest | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse(`${path} is damaged`, `look at it; to have the volume adopted anew: rm ${path}`, error);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw refuse(
    `${path} is not of format ${FORMAT}`,
    'use the nix-cache-init version that wrote it, or another volume',
    result.error,
  );
}

/** Replaces the manifest in one step: a kill at any instant leaves the old one or the new one. */
export function writeManifest(path: string, manifest: Manifest): void {
  const temporary = `${path}.new`;
  const fd = openSync(temporary, 'w', 0o644);
  try {
    writeSync(fd, `${JSON.stringify(manifest, null, 2)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
}
