import type { Config } from '../config/keys.ts';
import { readMountInfo } from '../linux/mountinfo.ts';
import type { Log } from '../log.ts';
import { isOnVolume } from '../state/check/places.ts';
import { settleIndirectRoots } from '../state/indirect/indirect.ts';
import { volumeLayout } from '../volume/layout.ts';
import type { ToCollect } from './places.ts';

/**
 * Beside a container: what roots in projects lead to is rooted as it is at a boot, before Nix finds that the projects are not
 * here and calls their roots stale.
 */
export function prepareRoots(what: ToCollect, { cacheDir, storeDir, stateDir }: Config, log: Log): void {
  if (what.kind !== 'store' || !isOnVolume(what.places)) return;
  const { state, indirectRoots } = volumeLayout(cacheDir);
  settleIndirectRoots({ state, stateDir, storeDir, record: indirectRoots, mounts: readMountInfo }, log);
}
