import type { Log } from '../../log.ts';
import { nixVersion } from '../../state/nix-version.ts';
import { reconcile } from '../../state/reconcile/reconcile.ts';
import type { Step } from '../plan.ts';
import { breathing } from './breathing.ts';

/** What it came to, in paths; `whiteouts` of the image's that garbage collection had hidden. */
export type Reconciliation = { learnt: number; forgotten: number; superseded: number; whiteouts: number };

/** Brings the volume in step with the image, and says what that came to. */
export async function reconcileImage(
  { nix, do: _, ...request }: Step & { do: 'reconcile' },
  log: Log,
  signal: AbortSignal,
): Promise<Reconciliation | undefined> {
  const { breathe, end } = breathing('updating the Nix database to this image', log, signal);
  const done = await reconcile({ ...request, nixVersion: () => nixVersion(nix), breathe }).finally(end);
  if (done === undefined) return undefined;
  if (done.links === 'damaged')
    log.warn(
      `${request.files.imageLinks} is damaged: profiles and roots stay as they are where they lead somewhere`,
    );
  const counts = {
    learnt: done.learnt,
    forgotten: done.forgotten.length,
    superseded: done.superseded.length,
    whiteouts: done.whiteouts,
  };
  log.info('the volume is in step with the image', counts);
  if (done.forgotten.length > 0) log.debug('no longer valid', { paths: done.forgotten });
  return counts;
}
