import { hasErrno, isDiskFull } from '../errors.ts';
import { readIfThere } from '../linux/read.ts';
import { replaceFile } from '../linux/replace.ts';
import { volumeLayout } from '../volume/layout.ts';
import type { GcReport } from './report.ts';

/** What the last collection of a volume came to. */
export type LastCollection = { at: number; freed: number; deleted: number; bytes: number; paths: number };

/** Notes it on the volume: a schedule goes on where the last container left off. */
export function noteCollection({ freed, deleted, after }: GcReport, cacheDir: string): void {
  const last: LastCollection = { at: Date.now(), freed, deleted: deleted.length, ...after };
  try {
    replaceFile(volumeLayout(cacheDir).lastGc, `${JSON.stringify(last)}\n`);
  } catch (error) {
    // Then the next one is early.
    if (!isDiskFull(error) && !hasErrno(error, 'EACCES', 'ENOENT', 'EROFS')) throw error;
  }
}

/** Reads it; undefined where there was none, or none that can be understood. */
export function lastCollection(cacheDir: string): LastCollection | undefined {
  const text = readIfThere(volumeLayout(cacheDir).lastGc);
  if (text === undefined) return undefined;
  let value: Partial<Record<keyof LastCollection, unknown>>;
  try {
    value = { ...JSON.parse(text) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const { at, freed, deleted, bytes, paths } = value;
  const all = [at, freed, deleted, bytes, paths].every((field) => typeof field === 'number');
  return all ? (value as LastCollection) : undefined;
}
