import { rm } from 'node:fs/promises';
import { errnoOf } from '../errors.ts';
import type { Log } from '../log.ts';

/**
 * Deletes trees that nobody needs any more, beside whatever else runs. What is left when init ends is deleted after the next
 * boot.
 */
export async function emptyTrash(paths: readonly string[], log: Log): Promise<void> {
  try {
    for (const path of paths) await rm(path, { recursive: true, force: true });
  } catch (error) {
    log.warn('cannot empty the trash', { errno: errnoOf(error) });
  }
}
