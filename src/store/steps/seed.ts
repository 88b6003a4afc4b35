import type { Log } from '../../log.ts';
import type { Loss } from '../../state/copy.ts';
import { describeLosses } from '../../state/losses.ts';
import { seedState } from '../../state/seed.ts';
import { readManifest, writeManifest } from '../../volume/manifest.ts';
import type { Step } from '../plan.ts';
import { breathing } from './breathing.ts';

/** Gives a volume without a database the image's state. */
export async function seed(step: Step & { do: 'seed' }, log: Log, signal: AbortSignal): Promise<void> {
  const { breathe, end } = breathing('copying the Nix database to the volume', log, signal);
  const losses: Loss[] = [];
  await seedState({
    ...step,
    onProgress: breathe,
    onLoss: (loss) => losses.push(loss),
    // Before the state gets its name: what the manifest says was true of the one that is gone.
    onReady: () => forgetImage(step.manifest),
  }).finally(end);
  if (losses.length > 0) log.warn(describeLosses(losses));
}

function forgetImage(path: string): void {
  const manifest = readManifest(path);
  if (manifest !== undefined) writeManifest(path, { ...manifest, imageIdentity: null, imageStat: null });
}
