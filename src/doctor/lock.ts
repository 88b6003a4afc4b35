import type { Config } from '../config/keys.ts';
import { Exit } from '../errors.ts';
import { type Holder, UNMOUNT } from '../volume/lock.ts';
import { type Finding, fault, fine, isContainerName, obstacle } from './check.ts';

/** Who has the volume's lock. */
export type LockFacts =
  | { state: 'free' }
  /** `here`: the init of this container. */
  | { state: 'held'; by: Holder; here: boolean }
  /** Who is not root may not ask. */
  | { state: 'unknown'; errno: string };

const needed = 'free, or held by this container';

/** Whether a boot would get the volume. */
export function lockCheck(lock: LockFacts, { access, onLocked }: Config): Finding {
  if (lock.state === 'free') return fine('lock', 'free', needed);
  if (lock.state === 'unknown') return fine('lock', `not known: ${lock.errno}`, needed);
  const { by } = lock;
  if (lock.here) return fine('lock', `held here by ${by.name}`, needed);
  const found = `held by ${by.name}`;
  if (access === 'read-only') return fine('lock', found, 'a reader takes none');
  if (onLocked !== 'fail') return fine('lock', found, `onLocked=${onLocked}`);
  const stop = isContainerName(by.host)
    ? `docker stop ${by.host}`
    : 'docker run -e NIX_CACHE_INIT_ON_LOCKED=wait';
  const remedy = by.mounted === undefined ? stop : UNMOUNT;
  return obstacle(fault('lock', found, needed, remedy), ['lock'], {
    stage: 'lock',
    what: `the volume is in use by ${by.name}`,
    errno: 'EWOULDBLOCK',
    exitCode: Exit.locked,
  });
}
