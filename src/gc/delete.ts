import { lstatSync } from 'node:fs';
import { basename } from 'node:path';
import type { Chosen } from './choose.ts';
import { closure, type Graph } from './graph.ts';
import { freeBytes, NixRefusal, type NixRequest, nixStore } from './nix.ts';

export type DeleteRequest = NixRequest & {
  graph: Graph;
  /** In an order of which every beginning can be deleted by itself. */
  chosen: readonly Chosen[];
  onProgress: (done: number, total: number) => void;
};

export type Deleted = {
  gone: Chosen[];
  /** What Nix would not delete: somebody came to need it. */
  kept: Chosen[];
};

/** As much as one command line may have in any case (execve(2)). */
const BATCH_BYTES = 96 * 1024;
/** Where less is free, deleting many small paths could fill the disk with the database's log before it frees anything. */
const TIGHT_BYTES = 64 * 1024 * 1024;
const TIGHT_PATHS = 64;

/**
 * Has Nix delete paths, in as few goes as there can be: it decides once more whether they may go, under its own lock. What it
 * refuses stays, with all that that needs.
 */
export async function deletePaths({
  graph,
  chosen,
  onProgress,
  ...request
}: DeleteRequest): Promise<Deleted> {
  const { directory, places } = request.store;
  const kept: Chosen[] = [];
  let left = [...chosen];
  while (left.length > 0) {
    const batch = nextBatch(left, `${places.storeDir}/`.length, freeBytes(directory) < TIGHT_BYTES);
    const refused = await attempt(
      batch.map(({ name }) => `${places.storeDir}/${name}`),
      request,
    );
    left = left.slice(batch.length);
    if (refused !== undefined) {
      const alive = needs(refused, graph);
      const again = batch.filter(({ name }) => isThere(`${directory}/${name}`));
      if (!again.some(({ name }) => alive.has(name)))
        throw new NixRefusal(`nix-store keeps ${refused}`, request.store.realStateDir);
      const all = [...again, ...left];
      kept.push(...all.filter(({ name }) => alive.has(name)));
      left = all.filter(({ name }) => !alive.has(name));
    }
    onProgress(chosen.length - left.length, chosen.length);
  }
  return { gone: chosen.filter(({ name }) => !isThere(`${directory}/${name}`)), kept };
}

function nextBatch(left: readonly Chosen[], prefix: number, tight: boolean): Chosen[] {
  const batch: Chosen[] = [];
  let bytes = 0;
  for (const one of left) {
    bytes += prefix + one.name.length + 1;
    if (bytes > BATCH_BYTES || (tight && batch.length === TIGHT_PATHS)) break;
    batch.push(one);
  }
  return batch;
}

/** @returns the name of the path for which Nix gave it up; it has deleted some of the others. */
async function attempt(paths: readonly string[], request: NixRequest): Promise<string | undefined> {
  try {
    await nixStore(request, ['--delete', ...paths]);
    return undefined;
  } catch (error) {
    if (!(error instanceof NixRefusal)) throw error;
    const [, path] = /annot delete path '([^']+)' since it is still alive/.exec(error.message) ?? [];
    if (path === undefined) throw error;
    return basename(path);
  }
}

/** What a path that stays keeps there, itself included. */
function needs(name: string, { names, numbers, references }: Graph): Set<string> {
  const number = numbers.get(name);
  if (number === undefined) return new Set([name]);
  return new Set([...closure([number], (one) => references[one] ?? [])].map((one) => names[one] ?? ''));
}

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;
