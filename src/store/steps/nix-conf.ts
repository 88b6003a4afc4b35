import { cpSync, realpathSync, writeFileSync } from 'node:fs';
import { makeDirectories } from '../../linux/directories.ts';
import { bindMount } from '../../linux/mount.ts';
import { readIfThere } from '../../linux/read.ts';
import { removeFile, removeTree } from '../../linux/remove.ts';
import { replaceFile } from '../../linux/replace.ts';
import { generateNixConf, markNixConf, unmarkNixConf } from '../../state/nix-conf.ts';
import type { Step } from '../plan.ts';
import type { Undo } from '../undo.ts';

type NixConf = Step & { do: 'nix-conf' };
type Mounted = Exclude<NixConf, { over: 'in place' }>;

/** Has every Nix read our lines before the user's own. */
export function putNixConf(step: NixConf, undo: Undo): void {
  if (step.over === 'in place') undo.ending(writeNixConf(step));
  else undo.unmounting(mountNixConf(step));
}

/**
 * Puts our lines into the file itself, where nothing can be mounted. A link is replaced: what it leads to may be a store path.
 * @returns what takes them out again.
 */
function writeNixConf({ dir, settings }: NixConf): () => void {
  const path = `${dir}/nix.conf`;
  makeDirectories(dir, 0o755);
  replaceFile(path, markNixConf(settings, readOrNothing(path)));
  return () => {
    const own = unmarkNixConf(readOrNothing(path));
    if (own === '') removeFile(path);
    else replaceFile(path, own);
  };
}

/**
 * Mounts a generated nix.conf over the image's, or over a copy of its directory where the file itself cannot be.
 * @returns what was mounted over.
 */
function mountNixConf({ dir, over, create, generated, settings }: Mounted): string {
  const path = `${dir}/nix.conf`;
  const text = generateNixConf(settings, readOrNothing(path));
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

/** To Nix, too, a file that is missing, or a link that leads nowhere, is an empty one. */
const readOrNothing = (path: string): string => readIfThere(path) ?? '';
