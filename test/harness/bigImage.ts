import { cpSync, mkdirSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { addRows, type Generation, isChanged, pathOf, rebuildRows, toNewGeneration } from './bigDatabase.ts';
import { makeNixRoot, type NixRoot } from './nixRoot.ts';
import { fixtures } from './paths.ts';

/** The /nix of an image as an engine has it: directories that are laid over each other, the uppermost first. */
export type ImageLayers = string[];

export interface BigImages {
  old: ImageLayers;
  /** Made on top of the old one: 1 % of its paths are gone and as many are new; all others kept their rows. */
  next: ImageLayers;
  /** The same paths as the next one's, registered in another order. */
  rebuilt: ImageLayers;
  /** Where the Nix runs that made them. */
  nix: NixRoot;
}

/** One in so many rows is a derivation, with outputs. */
const DERIVATIONS = 20;

/**
 * Images with so many valid paths, their databases made by a real Nix and filled by SQL, and a store with a directory for
 * each path: what takes the time is the number of them, not what is in them.
 */
export async function makeBigImages(directory: string, rows: number): Promise<BigImages> {
  const nix = await makeNixRoot(directory);
  const layer = (name: string): string => join(directory, name);
  const derivations = Math.floor(rows / DERIVATIONS);
  const paths = rows - derivations;

  mkdirSync(layer('base/var'), { recursive: true });
  for (const name of ['old', 'next', 'rebuilt']) mkdirSync(layer(`${name}/var`), { recursive: true });
  cpSync(join(fixtures, 'nix-big/derivations.nix'), layer('base/derivations.nix'));
  await nix.shell(layer('base'), 'nix-store --init');
  copyState(layer('base'), layer('rebuilt'));
  await nix.shell(layer('base'), instantiate(derivations));
  await rename(layer('base/var/nix'), layer('old/var/nix'));

  addRows(database(layer('old')), paths);
  copyState(layer('old'), layer('next'));
  toNewGeneration(database(layer('next')), paths);
  rebuildRows(database(layer('rebuilt')), database(layer('next')));

  makePaths(layer('base'), paths, 'old', (index) => !isChanged(index));
  makePaths(layer('old'), paths, 'old', isChanged);
  makePaths(layer('next'), paths, 'new', isChanged);
  // It leaves an empty write-ahead log and the index of it, as every Nix does.
  for (const name of ['old', 'next', 'rebuilt']) await nix.shell(layer(name), 'nix-store --init');
  const of = (name: string): ImageLayers => [layer(name), layer('base')];
  return { old: of('old'), next: of('next'), rebuilt: [layer('rebuilt'), ...of('next')], nix };
}

const database = (layer: string): string => join(layer, 'var/nix/db/db.sqlite');

const instantiate = (count: number): string =>
  `nix-instantiate --option fsync-metadata false --option build-users-group '' --arg count ${count} \\
    /nix/derivations.nix >/dev/null 2>&1`;

function copyState(from: string, to: string): void {
  cpSync(join(from, 'var/nix'), join(to, 'var/nix'), { recursive: true, verbatimSymlinks: true });
}

function makePaths(
  layer: string,
  paths: number,
  generation: Generation,
  wanted: (index: number) => boolean,
): void {
  mkdirSync(join(layer, 'store'), { recursive: true });
  for (let index = 0; index < paths; index += 1) {
    if (wanted(index)) mkdirSync(join(layer, pathOf(index, generation).replace('/nix/', '')));
  }
}
