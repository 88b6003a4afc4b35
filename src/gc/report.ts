import type { Holder } from './holders.ts';

/** What takes part in a cache's size. */
export type Amount = { bytes: number; paths: number };

/** A path that was deleted, or would be. */
export type DeletedPath = {
  path: string;
  /** What that frees. */
  bytes: number;
  /** When it was last used, as far as is known. */
  lastUse: string;
};

/** What a collection came to. */
export type GcReport = {
  /** What was collected. */
  looked: string;
  dryRun: boolean;
  /** From what is told when a path was last used. */
  lastUseFrom: 'access times' | 'registration' | 'file times';
  before: Amount;
  after: Amount;
  freed: number;
  deleted: DeletedPath[];
  /** What somebody came to need meanwhile. */
  kept: string[];
  maxSize: number | null;
  /** Whether the cache is under that now. */
  under: boolean;
  /** What holds most of the rest. */
  holders: Holder[];
};
