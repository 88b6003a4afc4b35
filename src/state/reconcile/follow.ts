import { type Merged, mergeImageLinks } from '../links/merge.ts';
import { isThere, type Layers } from './layers.ts';
import type { Updated } from './update.ts';

export type FollowRequest = {
  updated: Pick<Updated, 'forgotten'>;
  layers: Layers;
  /** The image's state directory, and the one that is to follow it. */
  from: string;
  to: string;
  /** Where Nix sees the store, and its state. */
  storeDir: string;
  nixStateDir: string;
  /** What earlier images brought of profiles and roots. */
  record: string;
};

/** Once the database is in step with the image: has its profiles and roots take their places. */
export function followImage(request: FollowRequest): Merged {
  const { updated, layers, from, to, storeDir, nixStateDir, record } = request;
  const forgotten = new Set(updated.forgotten.map((path) => path.slice(storeDir.length + 1)));
  const present = (name: string): boolean => isThere(name, layers) && !forgotten.has(name);
  return mergeImageLinks({ from, to, storeDir, stateDir: nixStateDir, record, present });
}
