/** What became of pushing to a cache. */
export type Pushed = {
  /** The cache, without credentials. */
  to: string;
  there: string[];
  missing: string[];
  /** Why the last of those is. */
  why?: string;
};

export type PushReport = { caches: Pushed[] };
