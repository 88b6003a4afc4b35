import { existsSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectories } from '../linux/directories.ts';
import { flushDirectory, flushFileSystem } from '../linux/flush.ts';
import { removeTree } from '../linux/remove.ts';
import { copySize, copyTree, type Loss } from './copy.ts';
import { toleratedLoss } from './losses.ts';
import { isPerBoot } from './parts.ts';
import { isSeeded } from './seeded.ts';
import { listTree } from './tree.ts';

export type SeedRequest = {
  /** The image's state directory, as the image has it. */
  from: string;
  /** The volume's. */
  to: string;
  /** On the same file system as `to`. */
  staging: string;
  /** Where a half-made state directory without a database is put aside. */
  trash: string;
  /** Called often, with bytes done and in all; may throw to end the seeding. */
  onProgress: (done: number, total: number) => void | Promise<void>;
  /** Called with what of the image's state could not be kept. */
  onLoss?: (loss: Loss) => void;
  /** Called when everything is on the disk and only the name is missing. */
  onReady: () => void | Promise<void>;
};

export type SeedOutcome = 'seeded' | 'present';

/**
 * Gives the volume a state directory of its own: copied beside, flushed to the disk as a whole, and only then renamed
 * into place, so that a kill or a power cut at any instant leaves none or a whole one (rename(2), syncfs(2)).
 * The database and its write-ahead log are plain files to this copy: nobody else has them open yet.
 */
export async function seedState({
  from,
  to,
  staging,
  trash,
  onProgress,
  onLoss = () => {},
  onReady,
}: SeedRequest): Promise<SeedOutcome> {
  if (isSeeded({ from, to, staging })) return 'present';
  try {
    await fill({ from, staging, onProgress, onLoss });
    await onReady();
  } catch (error) {
    // A volume that ran full must not stay full of what nobody can use.
    removeTree(staging);
    throw error;
  }
  makeDirectories(dirname(to));
  if (existsSync(to)) {
    makeDirectories(trash);
    renameSync(to, `${trash}/state-${Date.now()}`);
  }
  renameSync(staging, to);
  flushDirectory(dirname(to));
  return 'seeded';
}

async function fill({
  from,
  staging,
  onProgress,
  onLoss,
}: Required<Pick<SeedRequest, 'from' | 'staging' | 'onProgress' | 'onLoss'>>): Promise<void> {
  const entries = listTree(from, isPerBoot);
  const total = copySize(entries);
  let done = 0;
  const onBytes = (bytes: number): void | Promise<void> => {
    done += bytes;
    return onProgress(done, total);
  };
  await copyTree(from, staging, entries, onBytes, { onLoss: toleratedLoss(onLoss) });
  flushFileSystem(staging);
}
