import { isStorePathName } from '../state/reconcile/layers.ts';
import { LINKS, type Measured } from './measure.ts';
import { type NixRequest, nixStore } from './nix.ts';
import { namesIn } from './walk.ts';

/**
 * Has Nix delete what in the store has no store path's name: temporary directories of programs that were killed. It does so
 * whenever it goes through the store, also to list what is dead, and looks whether somebody still uses them (2.15 and later).
 * Not where an image has such a name, too: deleting that would put a whiteout over it.
 */
export async function deleteStrays({ strays }: Measured, request: NixRequest): Promise<void> {
  if (strays.length === 0) return;
  const { lowers } = request.store;
  const below = await Promise.all(lowers.map((store) => namesIn(Buffer.from(store))));
  const foreign = below.flat().some((name) => !isStorePathName(name.toString()) && name.toString() !== LINKS);
  if (!foreign) await nixStore(request, ['--gc', '--print-dead']);
}
