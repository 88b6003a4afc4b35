import { closeSync, constants, linkSync, mkdirSync, openSync } from 'node:fs';
import { errnoOf } from '../../errors.ts';
import { givesTypes } from '../../linux/directory-types.ts';
import { tryLock } from '../../linux/flock.ts';
import { renameToWhiteout } from '../../linux/rename.ts';
import { makeWhiteout } from '../../linux/whiteout.ts';
import { setXattr } from '../../linux/xattrs.ts';
import type { Features } from '../features.ts';
import { touch } from './scratch.ts';

/** Not among Node's constants; without O_DIRECTORY, which is another number on another processor. */
const O_TMPFILE_ALONE = 0o20000000;

/** Tries what an upper layer needs, and what is of use to one, in a directory that is empty. */
export function tryFeatures(directory: string): Features {
  const file = `${directory}/file`;
  const attempt = (act: () => void): string | null => {
    try {
      act();
      return null;
    } catch (error) {
      return errnoOf(error);
    }
  };
  return {
    'trusted xattrs': attempt(() => {
      touch(file);
      setXattr(file, 'trusted.nix-cache-init', 'doctor');
    }),
    'user xattrs': attempt(() => setXattr(file, 'user.nix-cache-init', 'doctor')),
    d_type: attempt(() => {
      mkdirSync(`${directory}/directory`);
      if (!givesTypes(directory)) throw Object.assign(new Error('no types'), { code: 'ENOTSUP' });
    }),
    whiteouts: attempt(() => makeWhiteout(`${directory}/whiteout`)),
    RENAME_WHITEOUT: attempt(() => {
      touch(`${directory}/renamed`);
      renameToWhiteout(`${directory}/renamed`, `${directory}/elsewhere`);
    }),
    O_TMPFILE: attempt(() => {
      const { O_DIRECTORY, O_RDWR } = constants;
      closeSync(openSync(directory, O_TMPFILE_ALONE | O_DIRECTORY | O_RDWR, 0o600));
    }),
    'hard links': attempt(() => linkSync(file, `${directory}/link`)),
    flock: attempt(() => {
      const fd = openSync(file, 'r');
      try {
        tryLock(fd);
      } finally {
        closeSync(fd);
      }
    }),
  };
}
