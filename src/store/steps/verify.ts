import { Exit, InitError } from '../../errors.ts';
import { readManifest } from '../../volume/manifest.ts';
import type { Step } from '../plan.ts';

/**
 * Refuses a volume of a newer version, and one whose overlayfs marks this container could not see: files that were
 * deleted would come back.
 */
export function verifyManifest({ manifest, xattrs }: Step & { do: 'verify' }): void {
  const known = readManifest(manifest);
  // Where there never was an overlay, there are no marks.
  if (known === undefined || known.strategy === 'substituter' || known.xattrs === xattrs) return;
  throw new InitError({
    stage: 'facts',
    what: `the volume was made with ${known.xattrs}.overlay attributes, this container would use ${xattrs}.overlay`,
    errno: 'EINVAL',
    remedy: 'use it as before (with or without a user namespace), or use another volume',
    exitCode: Exit.config,
  });
}
