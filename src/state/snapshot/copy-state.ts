import { existsSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { removeTree } from '../../linux/remove.ts';
import { copySize, copyTree, type Loss } from '../copy.ts';
import { databaseFile } from '../database.ts';
import { toleratedLoss } from '../losses.ts';
import { isPerBoot } from '../parts.ts';
import type { Breathe } from '../reconcile/merge.ts';
import { listTree, type TreeEntry } from '../tree.ts';
import { settleDatabase } from './database.ts';
import { untilStill } from './still.ts';

/**
 * Copies a state directory as it is at one instant, although a container may be at work in it. Nothing is locked: a writer
 * that starts meanwhile must not be refused because somebody reads.
 * @param note what is true of the volume, as text: it has to be so before and after.
 * @param onLoss called with what of it could not be kept, of one thing more than once when the copy had to be repeated; if not
 * given, the contents of no file may be lost.
 * @returns what it was.
 */
export async function copyState<T>(
  from: string,
  to: string,
  note: () => T,
  breathe: Breathe,
  onLoss?: (loss: Loss) => void,
): Promise<T> {
  let noted = note();
  await untilStill(from, async () => {
    removeTree(to);
    noted = note();
    const entries = listTree(from, isPerBoot);
    const total = copySize(entries);
    let done = 0;
    const onBytes = (bytes: number): Promise<void> => {
      done += bytes;
      return breathe(done, total);
    };
    await copyTree(from, to, entries, onBytes, onLoss && { onLoss: toleratedLoss(onLoss) });
    if (existsSync(databaseFile(to))) await settleDatabase(from, to, () => breathe(done, total));
    return isDeepStrictEqual([note(), ...links(listTree(from, isPerBoot))], [noted, ...links(entries)]);
  });
  return noted;
}

/** What has to stand still as a whole: profiles and roots. The database is seen to by itself, and reading changes atimes. */
const links = (entries: readonly TreeEntry[]): unknown[] =>
  entries
    .filter(({ path }) => path !== 'db' && !path.startsWith('db/'))
    .map(({ atimeNs: _, ...entry }) => entry);
