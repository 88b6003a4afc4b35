import { statSync } from 'node:fs';
import type { Config } from '../config/keys.ts';
import { canWrite } from '../linux/access.ts';
import { makeDirectories } from '../linux/directories.ts';
import { readIfThere } from '../linux/read.ts';
import { isOnVolume } from '../state/check/places.ts';
import { runDir } from '../store/run-layout.ts';
import type { Held } from '../volume/holding.ts';
import { volumeLayout } from '../volume/layout.ts';
import type { ToCollect } from './places.ts';

const remedy = 'stop that container, or run it there: docker exec CONTAINER nix-cache-init gc';

/**
 * What nobody else may hold meanwhile. Beside a container that is the volume; in one init has that already, and it is another
 * collection, by whose deletions our own list would be out of date. Users of the daemon cannot hold it: Nix's own lock is then
 * what keeps them apart.
 */
export function lockOf(what: ToCollect, { cacheDir }: Pick<Config, 'cacheDir'>): Held | undefined {
  const { lock: path, own } = volumeLayout(cacheDir);
  if (needsVolume(what, path)) return { path, remedy, needed: true };
  const root = process.geteuid?.() === 0;
  const place = root ? runDir : own;
  if (root) makeDirectories(place);
  return canWrite(place) ? { of: 'gc', path: `${place}/gc.lock`, needed: true } : undefined;
}

function needsVolume(what: ToCollect, lock: string): boolean {
  if (what.kind === 'binary cache') return !isHeldHere(lock);
  const { places } = what;
  if (isOnVolume(places)) return true;
  return places.realStoreDir !== undefined && !isHeldHere(lock);
}

/** Whether a process of this container has a file locked (proc_locks(5)): those of others are not shown. */
function isHeldHere(path: string): boolean {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return false;
  const lines = (readIfThere('/proc/locks') ?? '').split('\n');
  return lines.some((line) => /:\s+FLOCK\s/.test(line) && line.includes(`:${stat.ino} `));
}
