import { existsSync } from 'node:fs';
import { parseLowerStore } from '../../config/lower-store.ts';
import { Exit, InitError } from '../../errors.ts';
import { isOverlayOn, type MountInfo, mountOf } from '../../linux/mountinfo.ts';
import { volumeLayout } from '../../volume/layout.ts';
import { prefixPlaces } from '../../volume/prefix-layout.ts';
import { databaseFile } from '../database.ts';
import type { ImagePlaces } from '../identity.ts';
import { stateBeside } from '../lowers/lowers.ts';

/** What there is to check, and where it can be read. */
export type Places = {
  /**
   * `mounted`: init has laid the volume under the store, and Nix may be at work. `volume`: the volume and the image beside each
   * other, nobody at work. `reader`: what a container shows that reads a volume. `plain`: a store with no volume.
   */
  kind: 'mounted' | 'volume' | 'reader' | 'plain';
  /** Where Nix sees the store. */
  storeDir: string;
  /** Where a `plain` one really is, when it is one for a chroot. */
  realStoreDir?: string;
  /** A binary cache on the volume, of which a `plain` one has what is there no more after a restart. */
  binaryCache?: string;
  /** Whose database is checked. */
  stateDir: string;
  volume?: {
    root: string;
    upper: string;
    image: ImagePlaces;
    /** Further stores below the image's. */
    lowers: readonly ImagePlaces[];
    /** Store directories of other daemons below all of these. */
    below: readonly string[];
  };
};

export type VolumePlaces = Places & { kind: 'volume'; volume: NonNullable<Places['volume']> };

/** Whether these are a volume and an image beside each other. */
export const isOnVolume = (places: Places): places is VolumePlaces =>
  places.kind === 'volume' && places.volume !== undefined;

/** Where what Nix sees can be read. */
export const visibleStore = ({ storeDir, realStoreDir = storeDir }: Places): string => realStoreDir;

type Run = { lowerStore: string; lowerState: string; lower: (number: number) => string; upper: string };

type Wanted = Record<'strategy' | 'cacheDir' | 'storeDir' | 'stateDir', string> & {
  lowers: readonly string[];
  lowerStore?: string | undefined;
};

/**
 * Finds out what there is to check here.
 * @throws {InitError} 78 where the store is another machine's.
 * @param run where init binds what it hides, and keeps the throw-away layer of a reader.
 */
export function findPlaces(config: Wanted, mounts: readonly MountInfo[], run: Run): Places {
  const { strategy, cacheDir, storeDir, stateDir, lowerStore } = config;
  const directory = lowerStore === undefined ? undefined : parseLowerStore(lowerStore)?.directory;
  const below = strategy === 'local-overlay' && directory !== undefined ? [directory] : [];
  const { upper, state, binaryCache } = volumeLayout(cacheDir);
  if (strategy === 'prefix') {
    const { realStoreDir, stateDir: ownState } = prefixPlaces(config);
    return { kind: 'plain', storeDir, realStoreDir, stateDir: ownState };
  }
  const lower = { storeDir: run.lowerStore, stateDir: run.lowerState };
  const store = mountOf(storeDir, mounts);
  const aside = mounts.some(({ target }) => target === lower.storeDir);
  if (aside && store !== undefined && isOverlayOn(store, storeDir, upper)) {
    const volume = { root: cacheDir, upper, image: lower, lowers: boundLowers(mounts, run), below };
    return { kind: 'mounted', storeDir, stateDir, volume };
  }
  if (aside && store !== undefined && isOverlayOn(store, storeDir, run.upper))
    return { kind: 'reader', storeDir, stateDir };
  if (strategy === 'host') throw notOurs(storeDir, cacheDir);
  // What that has fetched into the container's own store must not be taken for the image's: a repair of the volume would have
  // copies there make way for it.
  if (strategy === 'substituter') return { kind: 'plain', storeDir, stateDir, binaryCache };
  if (strategy !== 'none' && existsSync(upper) && existsSync(state)) {
    const image = { storeDir, stateDir };
    const lowers = config.lowers.map((store) => ({ storeDir: store, stateDir: stateBeside(store) }));
    const volume = { root: cacheDir, upper, image, lowers, below };
    return { kind: 'volume', storeDir, stateDir: state, volume };
  }
  return { kind: 'plain', storeDir, stateDir };
}

/** The host's database is not here, and its store hides that of the image, of which a volume beside it cannot do without. */
const notOurs = (storeDir: string, cacheDir: string): InitError =>
  new InitError({
    stage: 'check',
    what: `${storeDir} is the host's store (strategy host), and its database is not here`,
    errno: 'EXDEV',
    remedy: `on the host: nix-store --verify --check-contents; a volume: docker run --rm -v cache:${cacheDir} --entrypoint nix-cache-init IMAGE check --strategy overlay`,
    exitCode: Exit.config,
  });

/** What init has bound, whatever the configuration of who asks says: options of /init are not known here. */
function boundLowers(mounts: readonly MountInfo[], run: Run): ImagePlaces[] {
  const bound = new Set(mounts.map(({ target }) => target));
  const lowers: ImagePlaces[] = [];
  for (let number = 1; bound.has(run.lower(number)); number += 1)
    lowers.push({ storeDir: run.lower(number), stateDir: stateBeside(run.lower(number)) });
  return lowers;
}

/** For people: what was looked at. */
export function describePlaces(places: Places): string {
  const { kind, storeDir, realStoreDir, binaryCache, stateDir, volume } = places;
  const database = databaseFile(stateDir);
  if (kind === 'mounted') return `${storeDir} as mounted from ${volume?.root}, with ${database}`;
  if (kind === 'volume') return `the volume ${volume?.root} over this image's ${storeDir}, with ${database}`;
  if (kind === 'reader') return `${storeDir} as this container reads it, with its own ${database}`;
  if (binaryCache !== undefined)
    return `${storeDir} of this container, with ${database}; what Nix takes from ${binaryCache} it checks itself`;
  if (realStoreDir !== undefined) return `${visibleStore(places)} on the volume, with its own ${database}`;
  return `${storeDir}, with ${database}; there is no volume`;
}
