import { closeSync, copyFileSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { hasErrno } from '../../errors.ts';
import { removeFile } from '../../linux/remove.ts';
import { databaseFile } from '../database.ts';
import { databaseLogs } from '../reconcile/image-database.ts';
import { untilStill } from './still.ts';

const CHUNK_BYTES = 4 * 1024 * 1024;

/**
 * Makes a copy of a database the database as it was at one instant, whatever is done to it meanwhile, as a power cut would
 * leave it: SQLite makes that whole when it opens it. Two readings of the file that agree say that it was the same between
 * them, when its log was copied; a log only grows, or begins anew when the file has all of it.
 *
 * SQLite's own backup() would need the log's index in shared memory: it could neither make it on a read-only mount nor do
 * without, and the index comes and goes with the processes of Nix.
 * @param to the state directory with a copy that may be of several instants, and is nobody's yet.
 */
export async function settleDatabase(from: string, to: string, breathe: () => Promise<void>): Promise<void> {
  const [source, target] = [databaseFile(from), databaseFile(to)];
  await untilStill(source, async () => {
    for (const log of databaseLogs) copyLog(source + log, target + log);
    await breathe();
    return !(await bringUpToDate(source, target, breathe));
  });
}

function copyLog(source: string, target: string): void {
  try {
    copyFileSync(source, target);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
    removeFile(target);
  }
}

/** Makes a file like another. @returns whether it was not. */
async function bringUpToDate(source: string, target: string, breathe: () => Promise<void>): Promise<boolean> {
  const from = openSync(source, 'r');
  try {
    const to = openSync(target, 'r+');
    try {
      return await copyChanges(from, to, breathe);
    } finally {
      closeSync(to);
    }
  } finally {
    closeSync(from);
  }
}

async function copyChanges(from: number, to: number, breathe: () => Promise<void>): Promise<boolean> {
  const [theirs, ours] = [Buffer.allocUnsafe(CHUNK_BYTES), Buffer.allocUnsafe(CHUNK_BYTES)];
  let changed = false;
  let end = 0;
  for (let size = 0; ; end += size) {
    size = readSync(from, theirs, 0, CHUNK_BYTES, end);
    if (size === 0) break;
    const own = readSync(to, ours, 0, CHUNK_BYTES, end);
    const chunk = theirs.subarray(0, size);
    if (!chunk.equals(ours.subarray(0, own))) {
      changed = true;
      writeSync(to, chunk, 0, size, end);
    }
    await breathe();
  }
  if (fstatSync(to).size === end) return changed;
  ftruncateSync(to, end);
  return true;
}
