import { lstatSync, readlinkSync } from 'node:fs';
import { basename, posix } from 'node:path';
import { liveLayers } from '../state/check/names.ts';
import { readDatabase } from '../state/check/records.ts';
import { scratchPlaces, withScratch } from '../state/check/scratch.ts';
import { databaseFile, explainDatabase } from '../state/database.ts';
import { below } from '../state/links/destination.ts';
import { readImageLinks } from '../state/links/links.ts';
import { entryPath } from '../state/tree.ts';
import type { Dead } from './choose.ts';
import { type Graph, type KeepSettings, liveClosure, readGraph } from './graph.ts';
import { type Measured, type MeasureOptions, measureStore } from './measure.ts';
import { findRoots, keepSettings, type NixRequest, type Root } from './nix.ts';
import type { StoreToCollect } from './places.ts';

/** All that is known of a store before anything is deleted. */
export type Survey = {
  measured: Measured;
  graph: Graph;
  keep: KeepSettings;
  roots: readonly Root[];
  dead: readonly Dead[];
};

/** Looks at a store: what it takes, what its database says, and what Nix keeps. */
export async function survey(request: NixRequest, options: MeasureOptions): Promise<Survey> {
  const { store } = request;
  const measured = await measureStore(store.directory, options);
  const keep = await keepSettings(request);
  const graph = await read(store);
  // Last: a path that is made meanwhile has no row yet, and is nobody's garbage when Nix says what is being made.
  const roots = [...(await findRoots(request)), ...rootsOnVolume(store)];
  return { measured, graph, keep, roots, dead: findDead(store, { measured, graph, keep, roots }) };
}

function read({ places }: StoreToCollect): Promise<Graph> {
  const file = databaseFile(places.stateDir);
  return withScratch(scratchPlaces(places), async (scratch) => {
    try {
      return readDatabase(file, places.kind === 'volume', scratch, (database) => {
        database.exec('begin');
        return readGraph(database, places.storeDir);
      });
    } catch (error) {
      throw explainDatabase(error, file);
    }
  });
}

/**
 * Beside a container, links into the state directory lead to the image's own: where they lead on the volume, Nix cannot see. As it
 * does, one link further is followed (LocalStore::findRoots).
 */
function rootsOnVolume({ places }: StoreToCollect): Root[] {
  const { kind, storeDir, stateDir, volume } = places;
  if (kind !== 'volume' || volume === undefined) return [];
  const { stateDir: mounted } = volume.image;
  return [...readImageLinks(stateDir)].flatMap(([path, entry]) => {
    if (entry.kind !== 'symlink') return [];
    const inside = below(mounted, posix.resolve(posix.dirname(`${mounted}/${path}`), entry.target));
    const target = inside === undefined ? undefined : linkAt(entryPath(stateDir, inside));
    const name = target === undefined ? undefined : below(storeDir, target)?.split('/')[0];
    return name === undefined || name === ''
      ? []
      : [{ root: `${stateDir}/${path}`, path: `${storeDir}/${name}` }];
  });
}

function linkAt(path: Buffer): string | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()
    ? readlinkSync(path, 'latin1')
    : undefined;
}

const HASH_CHARACTERS = 32;

/** Cached paths that Nix would call dead, and names of such that no row knows: what was cut off. */
function findDead(
  { places, accessTimes }: StoreToCollect,
  { measured, graph, keep, roots }: Omit<Survey, 'dead'>,
): Dead[] {
  const { numbers, registered } = graph;
  const names = roots.map(({ path }) => basename(path));
  const rooted = names.flatMap((name) => numbers.get(name) ?? []);
  const live = liveClosure(rooted, graph, keep);
  // As Nix does: what is being built has temporary names that begin like its own.
  const hashes = new Set(names.map((name) => name.slice(0, HASH_CHARACTERS)));
  const layers = liveLayers(places);
  const dead: Dead[] = [];
  for (const [name, usage] of measured.paths) {
    // A copy of what a layer below has is the reconcile's affair: deleting it would hide that, or take its row.
    if (layers.lower.has(name) || layers.below?.has(name)) continue;
    const number = numbers.get(name);
    if (number === undefined) {
      if (!hashes.has(name.slice(0, HASH_CHARACTERS))) dead.push({ name, usage, lastUse: usage.changed });
      continue;
    }
    if (live.has(number)) continue;
    const read = accessTimes ? usage.read : 0;
    dead.push({ name, usage, lastUse: Math.max(registered[number] ?? 0, read) });
  }
  return dead;
}
