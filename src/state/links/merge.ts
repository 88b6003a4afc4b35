import { flushFileSystem } from '../../linux/flush.ts';
import { applyLinks } from './apply.ts';
import { placedBase } from './base.ts';
import { readImageLinks } from './links.ts';
import { type LinkChange, planLinks, withChanges } from './plan.ts';
import { readRecord, writeRecord } from './record.ts';

export type MergeRequest = {
  /** The image's state directory, as the image has it. */
  from: string;
  /** The volume's. */
  to: string;
  /** Where Nix sees its directories: what links lead to. */
  storeDir: string;
  stateDir: string;
  /** On the file system of `to`: what the image brought, as of the last merge. */
  record: string;
  /** Whether a store path of this name is valid and in one of the layers: one that lost what it refers to runs no longer. */
  present: (storePathName: string) => boolean;
};

export type Merged = {
  changes: LinkChange[];
  /** Whether it was known what an earlier image had brought. */
  base: 'known' | 'unknown' | 'damaged';
};

/** Where a link or a directory is made before it gets its name. */
const temporaryFor = (record: string): string => `${record}.link`;

/**
 * Brings the volume's profiles and garbage collector roots in step with the image. Restartable: what is about to be brought is
 * written down first, so that after a kill neither this image nor another takes half of it for a user's. Durable.
 */
export function mergeImageLinks({ from, to, storeDir, stateDir, record, present }: MergeRequest): Merged {
  const recorded = readRecord(record);
  const known = Array.isArray(recorded);
  const bases = known ? recorded : [new Map()];
  const places = { storeDir: bytes(storeDir), stateDir: bytes(stateDir) };
  const theirs = readImageLinks(from);
  const ours = readImageLinks(to);
  const changes = planLinks({ bases, ours, theirs, present, places });
  const placed = placedBase(theirs, withChanges(ours, changes), places);
  if (changes.length > 0) {
    writeRecord(record, [...bases, placed]);
    applyLinks(to, changes, temporaryFor(record));
    flushFileSystem(to);
  }
  writeRecord(record, [placed]);
  return { changes, base: known ? 'known' : (recorded ?? 'unknown') };
}

const bytes = (path: string): string => Buffer.from(path).toString('latin1');
