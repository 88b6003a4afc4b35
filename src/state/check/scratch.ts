import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { hasErrno } from '../../errors.ts';
import { removeTree } from '../../linux/remove.ts';
import { volumeLayout } from '../../volume/layout.ts';
import type { Places } from './places.ts';

/** Where on the volume there is room for copies. */
export const scratchPlaces = ({ volume }: Places): string[] =>
  volume === undefined ? [] : [volumeLayout(volume.root).own];

/** Does something with a directory for copies, which is removed after it. @param others where to make it if /tmp cannot be written. */
export async function withScratch<T>(
  others: readonly string[],
  act: (path: string) => Promise<T>,
): Promise<T> {
  const path = makeScratch([tmpdir(), '/dev/shm', ...others]);
  try {
    return await act(path);
  } finally {
    removeTree(path);
  }
}

function makeScratch([place = '', ...others]: readonly string[]): string {
  try {
    return mkdtempSync(`${place}/nix-cache-init-`);
  } catch (error) {
    if (others.length > 0 && hasErrno(error, 'ENOENT', 'EROFS', 'EACCES')) return makeScratch(others);
    throw error;
  }
}
