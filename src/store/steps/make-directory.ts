import { chmodSync, chownSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Step } from '../plan.ts';

/** Creates a directory with its parents, with another one's owner and mode where the step names a model. */
export function makeDirectory({ path, mode, like }: Step & { do: 'mkdir' }): void {
  if (like === undefined || statSync(path, { throwIfNoEntry: false }) !== undefined) {
    mkdirSync(path, { recursive: true, mode });
    return;
  }
  // Under another name until it is complete: after a kill in between it would be taken as found, owner and mode wrong.
  const unnamed = `${path}.new`;
  mkdirSync(dirname(path), { recursive: true });
  mkdirSync(unnamed, { recursive: true, mode });
  const model = statSync(like);
  chownSync(unnamed, model.uid, model.gid);
  chmodSync(unnamed, model.mode & 0o7777);
  renameSync(unnamed, path);
}
