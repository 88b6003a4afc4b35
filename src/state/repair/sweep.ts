import { readInUserNamespace } from '../../linux/capabilities.ts';
import { findCommand } from '../../linux/commands.ts';
import { volumeLayout } from '../../volume/layout.ts';
import { readManifest } from '../../volume/manifest.ts';
import type { VolumePlaces } from '../check/places.ts';
import { nixVersion } from '../nix-version.ts';
import { reconcile } from '../reconcile/reconcile.ts';

/**
 * Brings the volume in step with the image, as a boot would that trusts nothing.
 * @returns the paths that are no longer valid.
 */
export async function sweep({ storeDir, stateDir, volume }: VolumePlaces): Promise<{ forgotten: string[] }> {
  const files = volumeLayout(volume.root);
  const xattrs = readManifest(files.manifest)?.xattrs ?? (readInUserNamespace() ? 'user' : 'trusted');
  const done = await reconcile({
    image: volume.image,
    ...(volume.lowers.length > 0 && { lowers: { places: volume.lowers, ...files } }),
    storeDir,
    nixStateDir: volume.image.stateDir,
    stateDir,
    upper: volume.upper,
    below: volume.below,
    files,
    strategy: 'overlay',
    xattrs,
    nixVersion: () => nixVersion(findCommand('nix-daemon', process.env['PATH'])),
    breathe: async () => {},
    always: true,
  });
  return done ?? { forgotten: [] };
}
