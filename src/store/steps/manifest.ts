import { FORMAT, readManifest, writeManifest } from '../../volume/manifest.ts';
import type { Step } from '../plan.ts';

/**
 * Writes a manifest where there is none: one that an overlay wrote says what its layer and its state are of, which stays true.
 * @throws {InitError} 78 for a volume of a newer version.
 */
export function claimVolume({ path, strategy }: Step & { do: 'manifest' }): void {
  if (readManifest(path) !== undefined) return;
  writeManifest(path, {
    format: FORMAT,
    strategy,
    xattrs: null,
    imageIdentity: null,
    imageStat: null,
    nixSchema: null,
  });
}
