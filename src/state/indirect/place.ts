import type { MountInfo } from '../../linux/mountinfo.ts';

/** Where indirect roots are found and noted. */
export type RootPlaces = {
  /** The state directory on the volume. */
  state: string;
  /** Where Nix sees it, and the store. */
  stateDir: string;
  storeDir: string;
  /** The file that remembers them. */
  record: string;
  /** What is mounted now; asked only when there are roots to tell. */
  mounts: () => readonly MountInfo[];
};

export const autoDir = (state: string): string => `${state}/gcroots/auto`;
export const absentDir = (state: string): string => `${state}/gcroots/absent`;
