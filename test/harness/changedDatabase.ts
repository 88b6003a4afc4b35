import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { docker, dockerOk, uniqueName } from './docker.ts';
import { nixImage } from './images.ts';
import type { Volume } from './volume.ts';
import { makeWorkspace } from './workspace.ts';

/** Changes a directory `db` of Nix's, which nobody has open, or removes it. */
export type Change = (db: string) => void | Promise<void>;

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
