import type { Running } from '../nix/program.ts';
import { PathKeeper } from './keeper.ts';
import type { CachePlaces } from './places.ts';
import { restoreLinks } from './restore.ts';

export type KeepRequest = CachePlaces & {
  /** Only restores. */
  readOnly: boolean;
};

/**
 * Restores profiles and roots.
 * @returns what keeps the new ones, and new paths; undefined where the volume is only read.
 */
export async function keepPaths(request: KeepRequest, running: Running): Promise<PathKeeper | undefined> {
  const restored = await restoreLinks(request, running);
  const { log, exitOf } = running;
  return request.readOnly ? undefined : new PathKeeper(request, restored, { log, exitOf });
}
