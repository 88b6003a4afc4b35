/** Where the things of a binary cache on the volume are, and those of the container that uses it. */
export type CachePlaces = {
  /** The binary cache. */
  cache: string;
  /** The directory of its key pair. */
  key: string;
  /** There while somebody writes to the cache, and after a kill. */
  open: string;
  /** The record of profiles and roots on the volume. */
  record: string;
  /** Nix's store and state directory. */
  storeDir: string;
  stateDir: string;
  /** In the state directory: what lives exactly as long as the container's store does. */
  own: string;
  /** Nix's programs. */
  nix: string;
  nixStore: string;
};

export const ownDir = (stateDir: string): string => `${stateDir}/nix-cache-init`;

/** What is in there. */
export const ownFiles = (own: string) =>
  ({
    /** Settings for NIX_CONFIG to include, where nix.conf cannot be written. */
    settings: `${own}/nix.conf`,
    /** What Nix runs after a build: a link to our own program, which is told by this name what to be. */
    hook: `${own}/post-build-hook`,
    /** For the hook, whom nobody passes arguments. */
    hookRequest: `${own}/post-build-hook.json`,
    /** What the store had, and which profiles and roots, before anything was restored to it. */
    start: `${own}/start.json`,
    /** Where a link is made before it gets its name. */
    temporary: `${own}/link`,
  }) as const;

export const secretKey = (key: string): string => `${key}/secret`;
export const publicKey = (key: string): string => `${key}/public`;

/** The store URI by which Nix finds it. */
export const cacheUri = (cache: string): string => `file://${cache}`;

/** Nix versions do not agree on what in a store URI is to be escaped, and nix.conf separates URIs by blanks. */
export const isPlainPath = (path: string): boolean => /^[A-Za-z0-9/._+-]+$/.test(path);
