import { cpSync, realpathSync, writeFileSync } from 'node:fs';
import { makeDirectories, readIfThere, removeFile, removeTree } from '../../linux/files.ts';
import { bindMount } from '../../linux/mount.ts';
import { generateNixConf } from '../../state/nix-conf.ts';
import type { Step } from '../plan.ts';

/**
 * Mounts a generated nix.conf over the image's, or over a copy of its directory where the file itself cannot be.
 * @returns what was mounted over.
 */
export function mountNixConf({ dir, over, create, generated, settings }: Step & { do: 'nix-conf' }): string {
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
