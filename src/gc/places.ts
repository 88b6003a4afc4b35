import type { Config } from '../config/keys.ts';
import { Exit, InitError } from '../errors.ts';
import { type MountInfo, mountOf } from '../linux/mountinfo.ts';
import { findPlaces, type Places, visibleStore } from '../state/check/places.ts';
import { runLayout } from '../store/run-layout.ts';
import { runningStrategy } from '../store/running.ts';
import { allStrategies } from '../store/select.ts';
import { volumeLayout } from '../volume/layout.ts';
import { readManifest } from '../volume/manifest.ts';
import { prefixPlaces, storeEnvironment, storeUri } from '../volume/prefix-layout.ts';
import type { MeasuredPlaces } from './measure.ts';

/** A store of which cached paths are collected. */
export type StoreToCollect = MeasuredPlaces & {
  kind: 'store';
  places: Places;
  /** How Nix's programs are told of it. */
  storeFlags: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Whether the kernel notes when files are read. */
  accessTimes: boolean;
  /** The state directory on the disk: for what Nix keeps beside the database. */
  realStateDir: string;
};

/** A binary cache that is pruned. */
export type CacheToPrune = MeasuredPlaces & {
  kind: 'binary cache';
  /** The record of profiles and roots on the volume. */
  record: string;
  storeDir: string;
  stateDir: string;
};

export type ToCollect = StoreToCollect | CacheToPrune;

type Wanted = Pick<
  Config,
  'strategy' | 'cacheDir' | 'storeDir' | 'stateDir' | 'lowers' | 'lowerStore' | 'access'
>;

/**
 * Finds out what there is to collect here.
 * @throws {InitError} 78 where nothing is ours to delete.
 */
export function findCollectable(
  config: Wanted,
  mounts: readonly MountInfo[],
  env: NodeJS.ProcessEnv,
): ToCollect {
  const { strategy } = config;
  if (strategy === 'host')
    throw refuse("the store is the host's, and so is its garbage", 'nix-collect-garbage on the host');
  const places = findPlaces(config, mounts, runLayout);
  const reads = places.kind === 'reader' || (config.access === 'read-only' && strategy !== 'none');
  if (reads)
    throw refuse('this container only reads the volume', 'run it in the container that writes to the volume');
  if (strategy === 'substituter') return binaryCache(config);
  return store(places, config, { mounts, env: storeEnvironment(config, env) });
}

const refuse = (what: string, remedy: string): InitError =>
  new InitError({ stage: 'gc', what, errno: 'EROFS', remedy, exitCode: Exit.config });

/** What init has chosen here; where none runs, what is configured, or what the volume was last used with. */
export function strategyHere(
  { strategy, cacheDir }: Pick<Config, 'strategy' | 'cacheDir'>,
  asked: boolean,
): Config['strategy'] {
  const running = asked ? undefined : runningStrategy();
  const known = running ?? strategy;
  if (known !== 'auto') return nameOf(known);
  return nameOf(readManifest(volumeLayout(cacheDir).manifest)?.strategy ?? known);
}

/** A volume of another release may have one that this does not know. */
const nameOf = (text: string): Config['strategy'] => allStrategies.find((name) => name === text) ?? 'auto';

function directoriesOf(places: Places): MeasuredPlaces {
  const { volume } = places;
  if (volume === undefined) return { directory: visibleStore(places), lowers: [] };
  return {
    directory: volume.upper,
    lowers: [volume.image, ...volume.lowers].map(({ storeDir }) => storeDir),
  };
}

function binaryCache({ cacheDir, storeDir, stateDir }: Wanted): CacheToPrune {
  const { binaryCache: directory, cacheLinks: record } = volumeLayout(cacheDir);
  return { kind: 'binary cache', directory, lowers: [], record, storeDir, stateDir };
}

function store(
  places: Places,
  config: Wanted,
  { mounts, env }: { mounts: readonly MountInfo[]; env: NodeJS.ProcessEnv },
): StoreToCollect {
  const { kind, stateDir, volume } = places;
  const common = { kind: 'store', places, env, ...directoriesOf(places) } as const;
  if (volume === undefined) {
    const accessTimes = mountOf(visibleStore(places), mounts)?.options.includes('noatime') !== true;
    return { ...common, storeFlags: [], accessTimes, realStateDir: stateDir };
  }
  const { root, upper } = volume;
  const realStateDir = volumeLayout(root).state;
  // Init mounts the overlay so that it does, whatever the volume is mounted with (ovl_get_upper in fs/overlayfs/super.c).
  const over = { accessTimes: true, realStateDir };
  if (kind === 'mounted') return { ...common, ...over, storeFlags: [] };
  // The upper layer alone: nothing of an image can be met there.
  const uri = storeUri({
    ...prefixPlaces(config),
    storeDir: places.storeDir,
    realStoreDir: upper,
    stateDir,
    confDir: volumeLayout(root).own,
  });
  return { ...common, ...over, storeFlags: ['--store', uri] };
}
