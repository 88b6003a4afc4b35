import { existsSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { removeTree } from '../../linux/files.ts';
import { copySize, copyTree } from '../copy.ts';
import { databaseFile } from '../database.ts';
import { isPerBoot } from '../parts.ts';
import type { Breathe } from '../reconcile/merge.ts';
import { listTree, type TreeEntry } from '../tree.ts';
import { settleDatabase } from './database.ts';
import { untilStill } from './still.ts';

/**
 * Copies a state directory as it is at one instant, although a container may be at work in it. Nothing is locked: a writer
 * that starts meanwhile must not be refused because somebody reads.
 * @param note what is true of the volume, as text: it has to be so before and after.
 * @returns what it was.
 */
export async function copyState<T>(from: string, to: string, note: () => T, breathe: Breathe): Promise<T> {
  let noted = note();
  await untilStill(from, async () => {
    removeTree(to);
    noted = note();
    const entries = listTree(from, isPerBoot);
    const total = copySize(entries);
    let done = 0;
    await copyTree(from, to, entries, (bytes) => {
      done += bytes;
      return breathe(done, total);
    });
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
