import { renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { placeDirectory } from '../../linux/directories.ts';
import { giveOwner } from '../../linux/owners.ts';
import { removeTree } from '../../linux/remove.ts';
import { entryPath } from '../tree.ts';
import type { LinkChange } from './plan.ts';

/**
 * Applies the changes to a state directory, each in one step: a kill leaves an old link or a new one.
 * @param temporary a name on the same file system and outside of the state directory, where Nix would take a leftover for a
 * root.
 */
export function applyLinks(stateDir: string, changes: readonly LinkChange[], temporary: string): void {
  for (const change of changes) {
    const path = entryPath(stateDir, change.path);
    switch (change.do) {
      case 'remove':
        unlinkSync(path);
        break;
      case 'directory':
        placeDirectory(path, temporary, change);
        break;
      case 'link':
        // What an interrupted merge left.
        removeTree(temporary);
        symlinkSync(Buffer.from(change.target, 'latin1'), temporary);
        giveOwner(temporary, change.uid, change.gid);
        renameSync(temporary, path);
        break;
    }
  }
}
