import { cacheUri } from '../binary-cache/places.ts';
import type { Config } from '../config/keys.ts';
import { volumeLayout } from '../volume/layout.ts';
import { prefixPlaces, storeUri } from '../volume/prefix-layout.ts';
import type { PushFrom } from './cache-pusher.ts';

type Wanted = Pick<Config, 'cacheDir' | 'storeDir' | 'stateDir'>;

type From = Omit<PushFrom, 'nix'>;

/** What was pushed, on the volume. */
export const recordsIn = ({ cacheDir }: Wanted): string => volumeLayout(cacheDir).pushed;

/** Where new paths are with a volume that is laid over the store. */
export function fromUpper(config: Wanted): From {
  const { cacheDir, storeDir, stateDir } = config;
  const names = volumeLayout(cacheDir).upper;
  return { source: { kind: 'store', names, storeDir, stateDir }, from: 'local', records: recordsIn(config) };
}

/** With a store of the volume's own. */
export function fromPrefix(config: Wanted): From {
  const places = prefixPlaces(config);
  const { realStoreDir: names, storeDir, stateDir } = places;
  const source = { kind: 'store', names, storeDir, stateDir } as const;
  return { source, from: storeUri(places), records: recordsIn(config) };
}

/** With a binary cache on the volume: also what containers that are gone have left there. */
export function fromCache(config: Wanted): From {
  const names = volumeLayout(config.cacheDir).binaryCache;
  return { source: { kind: 'cache', names }, from: cacheUri(names), records: recordsIn(config) };
}
