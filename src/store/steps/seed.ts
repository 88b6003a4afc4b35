import type { Log } from '../../log.ts';
import type { Loss } from '../../state/copy.ts';
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

/** How many names fit a line. */
const MOST_NAMED = 3;

/** What was lost on the way, and why, in one line. */
export function describeLosses(losses: readonly Loss[]): string {
  const unread = losses.filter(({ what }) => what === 'contents').map(({ path }) => path);
  const unowned = losses.length - unread.length;
  const more = unread.length > MOST_NAMED ? ', …' : '';
  const parts = [
    ...(unowned > 0 ? [`${unowned} without the owners or groups they had`] : []),
    ...(unread.length > 0
      ? [`${unread.length} not at all, unreadable here (${unread.slice(0, MOST_NAMED).join(', ')}${more})`]
      : []),
  ];
  return `of the image's Nix state were copied: ${parts.join('; ')}. This user namespace has no numbers for those users; a rootless engine maps more with /etc/subuid`;
}

function forgetImage(path: string): void {
  const manifest = readManifest(path);
  if (manifest !== undefined) writeManifest(path, { ...manifest, imageIdentity: null, imageStat: null });
}
