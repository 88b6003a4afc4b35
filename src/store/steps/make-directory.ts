import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectories, placeDirectory } from '../../linux/directories.ts';
import type { Step } from '../plan.ts';

/** Creates a directory with its parents, with another one's owner and mode where the step names a model. */
export function makeDirectory({ path, mode, like }: Step & { do: 'mkdir' }): void {
  if (like === undefined || statSync(path, { throwIfNoEntry: false }) !== undefined) {
    makeDirectories(path, mode);
    return;
  }
  makeDirectories(dirname(path));
  placeDirectory(path, `${path}.new`, statSync(like));
}
