import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { docker, dockerOk, uniqueName } from './docker.ts';
import { asProduct, commit, nixImage, repositoryName } from './images.ts';
import type { Volume } from './volume.ts';
import { makeWorkspace } from './workspace.ts';

/** Changes a directory `db` of Nix's, which nobody has open, or removes it. */
export type Change = (db: string) => void | Promise<void>;

export interface Image extends AsyncDisposable {
  tag: string;
}

/**
 * An image as another, but for its database; removed at the end of the block.
 * @param script run in the image, for what else is to be different.
 */
export async function changedImage(from: string, change: Change, script = ''): Promise<Image> {
  const tag = `${repositoryName}/changed:${uniqueName('image')}`;
  const directory = '/nix/var/nix/db';
  const command = ['/bin/sh', '-euc', `rm -r ${directory}; ${script}`];
  await commit(tag, from, (container) => changeThere(container, directory, change), asProduct, command);
  return {
    tag,
    [Symbol.asyncDispose]: async () => {
      await docker('image', 'rm', '-f', tag);
    },
  };
}

/** Changes the database of a volume that no container uses. */
export async function changeVolume(volume: Volume, change: Change): Promise<void> {
  const name = uniqueName('change');
  const directory = '/nix-cache/var/nix/db';
  const mounted = ['--network', 'host', '-v', `${volume.name}:/nix-cache`, '--entrypoint', 'rm'];
  await dockerOk('create', '--name', name, ...mounted, await nixImage(), '-r', directory);
  try {
    await changeThere(name, directory, change);
  } finally {
    await docker('rm', '-f', '-v', name);
  }
}

/** Takes the directory out, lets the container remove it, and puts back what has become of it. */
async function changeThere(container: string, directory: string, change: Change): Promise<void> {
  await using workspace = await makeWorkspace();
  const copy = join(workspace.path, 'db');
  await dockerOk('cp', `${container}:${directory}`, copy);
  await dockerOk('start', '--attach', container);
  await change(copy);
  if (existsSync(copy)) await dockerOk('cp', '--archive', copy, `${container}:${directory}`);
}
