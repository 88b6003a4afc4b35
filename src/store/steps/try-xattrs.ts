import { removeXattr, setXattr } from '../../linux/xattrs.ts';
import { readManifest } from '../../volume/manifest.ts';
import type { Step } from '../plan.ts';

/**
 * Sets an attribute as overlayfs would. Where that is refused it mounts all the same, and fails when an image path is deleted
 * (fs/overlayfs/super.c, ovl_make_workdir).
 */
export function tryXattrs({ path, xattrs, manifest }: Step & { do: 'try-xattrs' }): void {
  if (readManifest(manifest)?.xattrs != null) return;
  const name = `${xattrs}.overlay.probe`;
  setXattr(path, name, 'y');
  removeXattr(path, name);
}
