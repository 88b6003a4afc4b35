import type { CacheUri } from '../config/cache-uri.ts';
import { copyCommand } from '../nix/copy.ts';
import { batches, NixFailure, type Running, runNix } from '../nix/program.ts';
import { type Attempt, pushInBatches } from './round.ts';

export type Push = {
  paths: readonly string[];
  to: CacheUri;
  /** The program, and the store it is to copy from; undefined: the one that it takes by itself. */
  nix: string;
  from: string | undefined;
  /** Whether the cache is asked anew also for what Nix remembers of it. */
  fresh: boolean;
  patience: number;
  onPushed: (paths: readonly string[]) => Promise<void>;
};

/**
 * What the answer hangs on, whatever nix.conf says: nothing is fetched or built to be pushed, and a copy is not called done when a
 * part of it failed (`keep-going` in Store::addMultipleToStore, src/libstore/store-api.cc). What a cache had not an hour ago
 * it may have now: before a kill it was sent, and Nix had no time to note that.
 */
const settings = {
  substitute: 'false',
  'max-jobs': '0',
  'keep-going': 'false',
  'narinfo-cache-negative-ttl': '0',
};

/** Nix believes for 30 days that a cache has something (src/libstore/nar-info-disk-cache.cc). */
const forgetting = { 'narinfo-cache-positive-ttl': '0' };

/**
 * Pushes paths, with all that they refer to, to a cache; what that has already it is not sent.
 * @returns those that are not there, and why the last of them is not; undefined: all are.
 */
export async function pushPaths(
  { paths, to, nix, from, fresh, patience, onPushed }: Push,
  running: Running,
): ReturnType<typeof pushInBatches> {
  const copy = { nix, from, to: to.uri, settings: { ...settings, ...(fresh ? forgetting : {}) } };
  const attempt: Attempt = async (batch) => {
    try {
      await runNix(copyCommand(copy, batch), running);
      return undefined;
    } catch (error) {
      if (error instanceof NixFailure) return error.message;
      throw error;
    }
  };
  return await pushInBatches(batches(paths), { attempt, onPushed, patience });
}
