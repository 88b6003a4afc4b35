import * as z from 'zod/mini';
import { hasErrno } from '../errors.ts';
import { lastCollection } from '../gc/last.ts';
import { type MeasuredPlaces, measureCache } from '../gc/measure.ts';
import { volumeLayout } from '../volume/layout.ts';
import { prefixPlaces } from '../volume/prefix-layout.ts';
import type { InitStatus } from './status-schema.ts';

const count = z.int().check(z.gte(0));

/** How much is cached, on the disk. */
export const cacheSchema = z.strictObject({
  directory: z.string(),
  bytes: count,
  paths: count,
  /** How many more the store has that take no space on the volume. */
  sharedWithImage: count,
  /** The last collection of garbage, by `gc` or by schedule. */
  collected: z.nullable(z.strictObject({ at: z.iso.datetime(), freed: count, deleted: count })),
});

export type CacheReport = z.output<typeof cacheSchema>;

/** Measures what the strategy keeps on the volume; null where it keeps nothing there. */
export async function reportCache(status: InitStatus, signal: AbortSignal): Promise<CacheReport | null> {
  const places = cacheOf(status);
  if (places === undefined) return null;
  try {
    const size = await measureCache(places, { signal });
    const last = lastCollection(status.places.cacheDir);
    const collected = last && {
      at: new Date(last.at).toISOString(),
      freed: last.freed,
      deleted: last.deleted,
    };
    return { directory: places.directory, ...size, collected: collected ?? null };
  } catch (error) {
    // Nothing has been kept yet.
    if (hasErrno(error, 'ENOENT')) return null;
    throw error;
  }
}

function cacheOf({ strategy, places, layers }: InitStatus): MeasuredPlaces | undefined {
  const { upper, binaryCache } = volumeLayout(places.cacheDir);
  switch (strategy.name) {
    case 'overlay':
    case 'local-overlay':
      // A reader's own layer is in memory, and the volume's is among those below it.
      return { directory: upper, lowers: layers?.lowers.filter((lower) => lower !== upper) ?? [] };
    case 'prefix':
      return { directory: prefixPlaces(places).realStoreDir, lowers: [] };
    case 'substituter':
      return { directory: binaryCache, lowers: [] };
    default:
      return undefined;
  }
}
