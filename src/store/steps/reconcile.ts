import type { Log } from '../../log.ts';
import { nixVersion } from '../../state/nix-version.ts';
import { reconcile } from '../../state/reconcile/reconcile.ts';
import type { Step } from '../plan.ts';
import { breathing } from './breathing.ts';

/** Brings the volume in step with the image, and says what that came to. */
export async function reconcileImage(
  { nix, do: _, ...request }: Step & { do: 'reconcile' },
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const { breathe, end } = breathing('updating the Nix database to this image', log, signal);
  const done = await reconcile({ ...request, nixVersion: () => nixVersion(nix), breathe }).finally(end);
  if (done === undefined) return;
  if (done.links === 'damaged')
    log.warn(
      `${request.files.imageLinks} is damaged: profiles and roots stay as they are where they lead somewhere`,
    );
  log.info('the volume is in step with the image', {
    learnt: done.learnt,
    forgotten: done.forgotten.length,
    superseded: done.superseded.length,
    whiteouts: done.whiteouts,
  });
  if (done.forgotten.length > 0) log.debug('no longer valid', { paths: done.forgotten });
}
