import { readdirSync } from 'node:fs';
import { bindMount, makeReadOnly } from '../../linux/mount.ts';
import { makeWhiteout } from '../../linux/whiteout.ts';
import type { Log } from '../../log.ts';
import { copyTree, type Loss } from '../../state/copy.ts';
import { describeLosses } from '../../state/losses.ts';
import { takeSnapshot } from '../../state/snapshot/snapshot.ts';
import { describeEntry } from '../../state/tree.ts';
import type { Step } from '../plan.ts';
import type { Undo } from '../undo.ts';
import { breathing } from './breathing.ts';

/**
 * Makes the state of a reader, and what its overlay needs where the image and the volume have a path of one name: a whiteout
 * between the two where the volume's is not to be seen, a stand-in above both where the image's is not.
 */
export async function snapshot(
  { do: _, mask, standIns, ...request }: Step & { do: 'snapshot' },
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const { breathe, end } = breathing('copying the Nix database of the volume', log, signal);
  const losses = new Map<string, Loss>();
  const onLoss = (loss: Loss): void => void losses.set(`${loss.what} ${loss.path}`, loss);
  const { hidden, hiding } = await takeSnapshot({ ...request, breathe, onLoss }).finally(end);
  if (losses.size > 0) log.warn(describeLosses([...losses.values()]));
  for (const name of hidden) makeWhiteout(`${mask}/${name}`);
  // Of a directory only itself, to be mounted on; the rest whole: a symlink could not be mounted on.
  const entries = hiding.map((name) => describeEntry(request.upper, name));
  await copyTree(request.upper, standIns, entries, () => breathe(0, 0));
}

/** Mounts, read-only, the directories of one place over those of their names in another. */
export function bindEach({ names, source, target }: Step & { do: 'bind-each' }, undo: Undo): void {
  for (const entry of readdirSync(names, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    bindMount(`${source}/${entry.name}`, `${target}/${entry.name}`);
    undo.unmounting(`${target}/${entry.name}`);
    makeReadOnly(`${target}/${entry.name}`);
  }
}
