import { dirname } from 'node:path';
import type { ImagePlaces } from '../identity.ts';

/** Further stores below the image's, and what a boot makes of them. */
export type Lowers = {
  /** Where each can be read, in the order of the layers. */
  places: readonly ImagePlaces[];
  /** A directory for their masks. */
  masks: string;
  /** A state directory for the database that is made of the image's and theirs. */
  combined: string;
};

/** All that lies below the upper layer, in the order of the layers. */
export const layersOf = (image: ImagePlaces, lowers: Lowers | undefined): readonly ImagePlaces[] => [
  image,
  ...(lowers?.places ?? []),
];

/** The state directory beside a store directory: of /x/nix/store it is /x/nix/var/nix. */
export const stateBeside = (store: string): string => `${dirname(store)}/var/nix`;
