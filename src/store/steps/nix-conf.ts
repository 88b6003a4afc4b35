import { cpSync, realpathSync, writeFileSync } from 'node:fs';
import { makeDirectories } from '../../linux/directories.ts';
import { bindMount } from '../../linux/mount.ts';
import { readIfThere } from '../../linux/read.ts';
import { removeFile, removeTree } from '../../linux/remove.ts';
import { generateNixConf, settingLines } from '../../state/nix-conf.ts';
import { putLines } from '../../state/nix-conf-lines.ts';
import type { Step } from '../plan.ts';
import type { Undo } from '../undo.ts';

type NixConf = Step & { do: 'nix-conf' };
type Mounted = Exclude<NixConf, { over: 'in place' }>;

/** Has every Nix read our lines before the user's own. */
export function putNixConf(step: NixConf, undo: Undo): void {
  if (step.over === 'in place')
    undo.ending(putLines(`${step.dir}/nix.conf`, { before: settingLines(step.settings) }));
  else undo.unmounting(mountNixConf(step));
}

/**
 * Mounts a generated nix.conf over the image's, or over a copy of its directory where the file itself cannot be.
 * @returns what was mounted over.
 */
function mountNixConf({ dir, over, create, generated, settings }: Mounted): string {
  const path = `${dir}/nix.conf`;
  // To Nix, too, a file that is missing, or a link that leads nowhere, is an empty one.
  const text = generateNixConf(settings, readIfThere(path) ?? '');
  if (over === 'directory') {
    const copy = `${generated}.d`;
    removeTree(copy);
    // Its real place: copying a link would have us write through it into the image.
    cpSync(realpathSync(dir), copy, { recursive: true, verbatimSymlinks: true });
    removeFile(`${copy}/nix.conf`);
    writeFileSync(`${copy}/nix.conf`, text);
    bindMount(copy, dir);
    return dir;
  }
  if (create) {
    makeDirectories(dir, 0o755);
    writeFileSync(path, '', { mode: 0o644 });
  }
  writeFileSync(generated, text, { mode: 0o644 });
  bindMount(generated, path);
  return path;
}
