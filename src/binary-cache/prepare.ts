import { existsSync, readFileSync } from 'node:fs';
import { Exit, InitError, isDiskFull } from '../errors.ts';
import { makeDirectories } from '../linux/directories.ts';
import { readIfThere } from '../linux/read.ts';
import { replaceFile } from '../linux/replace.ts';
import type { Running } from '../nix/program.ts';
import { ensureKey } from './key.ts';
import { type CachePlaces, publicKey } from './places.ts';
import { bootId, sweepCache } from './sweep.ts';

export type PrepareRequest = CachePlaces & {
  /** Only uses what is there. */
  readOnly: boolean;
};

/** Those that Nix makes whenever it opens such a store: where it may not, they have to be there. */
const directories = ['nar', 'log', 'realisations'];

/**
 * Makes the binary cache and its key unless they are there, and takes away what a kill has left of an earlier boot's writing.
 * @throws {InitError} 78 for a cache of another store.
 */
export async function prepareCache(request: PrepareRequest, running: Running): Promise<void> {
  const { cache, key, open, readOnly } = request;
  if (readOnly) {
    if (!existsSync(publicKey(key))) running.log.warn(`there is no binary cache at ${cache} to read yet`);
    requireStore(request);
    return;
  }
  for (const name of directories) makeDirectories(`${cache}/${name}`, 0o755);
  if (!requireStore(request)) replaceFile(infoFile(cache), cacheInfo(request.storeDir));
  await ensureKey(request, running);
  const before = readIfThere(open);
  if (before !== undefined) await sweepCache(cache, before.trim() !== bootId(), running);
  try {
    replaceFile(open, `${bootId()}\n`);
  } catch (error) {
    // Nothing can be added to it either.
    if (!isDiskFull(error)) throw error;
  }
}

const infoFile = (cache: string): string => `${cache}/nix-cache-info`;

/** Asked before any other cache, and for many paths at once. */
const cacheInfo = (storeDir: string): string => `StoreDir: ${storeDir}\nWantMassQuery: 1\nPriority: 10\n`;

/** @returns whether the cache says for which store it is. */
function requireStore({ cache, storeDir }: CachePlaces): boolean {
  if (!existsSync(infoFile(cache))) return false;
  const [, store] = /^StoreDir:\s*(.*)$/m.exec(readFileSync(infoFile(cache), 'utf8')) ?? [];
  if (store === storeDir) return true;
  throw new InitError({
    stage: 'facts',
    what: `${cache} is for the store ${store ?? '(not said)'}, not ${storeDir}`,
    errno: 'EINVAL',
    remedy: 'use another volume, or set storeDir as it was',
    exitCode: Exit.config,
  });
}
