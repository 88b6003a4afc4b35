import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { errnoOf, systemErrno } from '../errors.ts';
import { canWrite } from '../linux/access.ts';
import { removeTree } from '../linux/remove.ts';
import type { Log } from '../log.ts';

/** Variables for Nix, and the end of what they name. */
export type CacheHome = { variables: Record<string, string>; remove: () => void };

const own: CacheHome = { variables: {}, remove: () => {} };

/**
 * Nix does not copy to a cache without a place to note what is there (src/libstore/nar-info-disk-cache.cc). Where its own cannot be
 * written to, as in a container whose root is read-only, it is lent one, of nobody else's.
 */
export function lendCacheHome(env: NodeJS.ProcessEnv, log: Log): CacheHome {
  const { NIX_CACHE_HOME, XDG_CACHE_HOME, HOME } = env;
  if (canMake(NIX_CACHE_HOME || `${XDG_CACHE_HOME || `${HOME || '/root'}/.cache`}/nix`)) return own;
  try {
    const lent = mkdtempSync(`${tmpdir()}/nix-cache-init-`);
    return {
      // Since Nix 2.25 the first has a say, too.
      variables: { NIX_CACHE_HOME: `${lent}/nix`, XDG_CACHE_HOME: lent },
      remove: () => removeTree(lent),
    };
  } catch (error) {
    if (systemErrno(error) === undefined) throw error;
    // Then Nix says itself what it misses.
    log.debug('no place for what Nix notes of caches', { errno: errnoOf(error) });
    return own;
  }
}

/** Whether there is such a directory to write to, or it can be made. */
const canMake = (path: string): boolean =>
  existsSync(path) || dirname(path) === path ? canWrite(path) : canMake(dirname(path));
