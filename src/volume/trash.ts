import { errnoOf } from '../errors.ts';
import type { Log } from '../log.ts';

/**
 * Deletes a tree that nobody needs any more, beside whatever else runs. What is left of it when init ends is deleted after the
 * next boot.
 */
export async function deleteTree(path: string, log: Log): Promise<void> {
  // Loaded here: few boots have anything to delete.
  const { rm } = process.getBuiltinModule('node:fs/promises');
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    log.warn(`cannot delete ${path}`, { errno: errnoOf(error) });
  }
}
