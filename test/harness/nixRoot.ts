import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { baseTarball, type Suite } from './base.ts';
import { runOk } from './run.ts';

/**
 * A root on the disk in which a Debian suite's own Nix runs without an engine: for stores that are too big to be copied
 * into images. It has no /nix of its own; whoever runs something says what is there.
 */
export interface NixRoot {
  path: string;
  /** Runs a shell script in it. `nix` is the directory at /nix; `mounts` are more binds, inside: outside. */
  shell(nix: string, script: string): Promise<string>;
}

export async function makeNixRoot(directory: string, suite: Suite = 'trixie'): Promise<NixRoot> {
  const path = join(directory, 'nix-root');
  await mkdir(path);
  await runOk('tar', ['-x', '-f', await baseTarball(suite), '-C', path, '--exclude=./dev/*']);
  await Promise.all(['nix', 'proc', 'dev'].map((name) => mkdir(join(path, name), { recursive: true })));
  const enter = ['--mount', '--pid', '--fork', '--kill-child', '--', 'sh', '-euc', mounts, 'sh', path];
  return { path, shell: (nix, script) => runOk('unshare', [...enter, nix, script]) };
}

// In a mount namespace of its own: nothing is left, however it ends.
const mounts = `
mount --rbind /dev "$1/dev"
mount -t proc proc "$1/proc"
mount --bind "$2" "$1/nix"
exec chroot "$1" sh -euc "cd /; $3"
`;
