import { statfs } from 'node:fs/promises';
import * as z from 'zod/mini';
import { hasErrno } from '../errors.ts';
import { volumeLayout } from '../volume/layout.ts';
import { readHolder } from '../volume/lock.ts';
import { readManifest } from '../volume/manifest.ts';
import { cacheSchema, reportCache } from './cache-report.ts';
import { ask } from './client.ts';
import { type InitStatus, initStatusSchema } from './status-schema.ts';

const count = z.int().check(z.gte(0));

/** What `status --json` prints: what init knows of itself, and what is found on its volume. */
export const reportSchema = z.extend(initStatusSchema, {
  /** Null: there is none. */
  volume: z.nullable(
    z.strictObject({
      /** Of its file system, in bytes; `free` for who is not root. */
      total: count,
      free: count,
      /** Null where the file system has no such number. */
      inodes: z.nullable(z.strictObject({ total: count, free: count })),
      /** Who has it, or had it last. */
      holder: z.nullable(z.string()),
    }),
  ),
  /** Null: nothing is kept. */
  cache: z.nullable(cacheSchema),
  /** What the volume is in step with. */
  image: z.nullable(
    z.strictObject({
      identity: z.nullable(z.string()),
      nix: z.nullable(z.string()),
      schema: z.nullable(z.int()),
    }),
  ),
});

export type Report = z.output<typeof reportSchema>;

/**
 * Asks init, and looks at the volume itself: init has other things to do.
 * @throws {InitError} as `ask`.
 */
export async function gatherReport(signal: AbortSignal): Promise<Report> {
  const status = initStatusSchema.parse(await ask({ do: 'status' }, { signal }));
  const layout = volumeLayout(status.places.cacheDir);
  const manifest = readManifest(layout.manifest);
  return {
    ...status,
    volume: await lookAtVolume(status, layout),
    cache: await reportCache(status, signal),
    image:
      manifest === undefined
        ? null
        : { identity: manifest.imageIdentity, nix: manifest.nix ?? null, schema: manifest.nixSchema },
  };
}

async function lookAtVolume(
  { places: { cacheDir } }: InitStatus,
  { lock }: Pick<ReturnType<typeof volumeLayout>, 'lock'>,
): Promise<Report['volume']> {
  try {
    const { bsize, blocks, bavail, files, ffree } = await statfs(cacheDir);
    return {
      total: blocks * bsize,
      free: bavail * bsize,
      inodes: files === 0 ? null : { total: files, free: ffree },
      holder: holderOf(lock),
    };
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}

function holderOf(lock: string): string | null {
  try {
    return readHolder(lock).name;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'EACCES')) return null;
    throw error;
  }
}
