import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { readRecord } from '../binary-cache/record.ts';
import { destinations } from '../binary-cache/restore.ts';
import { Exit, InitError } from '../errors.ts';
import { databaseFile, explainDatabase, openForReading } from '../state/database.ts';
import { type CacheContents, readCache } from './binary-cache.ts';
import { type Chosen, choose, type Dead, evictionOrder } from './choose.ts';
import type { CollectRequest } from './collect-store.ts';
import { closure, liveClosure } from './graph.ts';
import { biggestHolders, type Holder } from './holders.ts';
import type { Root } from './nix.ts';
import type { CacheToPrune } from './places.ts';
import type { GcReport } from './report.ts';
import { spaceOf } from './space.ts';

/** Paths have no derivations here. */
const keep = { keepOutputs: false, keepDerivations: false };

/** A NAR is written before what describes it: one that was just written may be about to be described. */
const ORPHAN_MS = 24 * 3_600_000;

/**
 * Prunes a binary cache: what no profile or root on the volume needs, nor the store of this container has. What that store has
 * stays: it may be rooted at any moment, and is not copied twice.
 */
export async function collectBinaryCache(what: CacheToPrune, request: CollectRequest): Promise<GcReport> {
  const { directory, storeDir } = what;
  const { goal, dryRun, signal, onProgress } = request;
  const options = {
    signal,
    onProgress: (done: number, total: number) => onProgress('measuring', done, total),
  };
  const contents = await readCache(directory, options);
  const { measured, graph, orphans } = contents;
  const roots = rootsOf(what);
  const valid = validNames(what);
  const live = liveClosure(
    numbersOf([...roots.map(({ path }) => basename(path)), ...valid], contents),
    graph,
    keep,
  );
  const dead = [...measured.paths].flatMap(([name, usage]): Dead[] => {
    if (live.has(graph.numbers.get(name) ?? -1)) return [];
    return [{ name, usage, lastUse: Math.max(usage.changed, usage.read) }];
  });
  const order = evictionOrder(dead, graph, keep);
  const chosen = choose(order, measured.bytes, measured.paths.values(), goal);
  if (!dryRun) {
    await remove(chosen, contents, request);
    const old = orphans.filter(({ written }) => written < Date.now() - ORPHAN_MS);
    for (const { path } of old) await rm(path, { force: true });
  }
  const freed = chosen.reduce((bytes, { frees }) => bytes + frees, 0);
  const planned = { bytes: measured.bytes - freed, paths: measured.paths.size - chosen.length };
  const after = dryRun ? planned : await amountNow(directory);
  const paths = new Map(measured.paths);
  for (const { name } of chosen) paths.delete(name);
  const left = { ...contents, measured: { ...measured, paths } };
  return {
    looked: `the binary cache ${directory}`,
    dryRun,
    lastUseFrom: 'file times',
    before: { bytes: measured.bytes, paths: measured.paths.size },
    after,
    freed,
    deleted: chosen.map(({ name, frees, lastUse }) => ({
      path: `${storeDir}/${name}`,
      bytes: frees,
      lastUse: new Date(lastUse).toISOString(),
    })),
    kept: [],
    maxSize: goal.maxBytes ?? null,
    under: after.bytes <= (goal.maxBytes ?? Number.POSITIVE_INFINITY),
    holders: [...ownStore(what, valid, left), ...biggestHolders({ ...left, roots })].sort(
      (a, b) => b.bytes - a.bytes,
    ),
  };
}

async function amountNow(directory: string): Promise<GcReport['after']> {
  const { measured } = await readCache(directory, {});
  return { bytes: measured.bytes, paths: measured.paths.size };
}

/**
 * The profiles and roots of the volume.
 * @throws {InitError} 78 when their record is damaged: then nobody knows what is needed.
 */
function rootsOf({ record, storeDir, stateDir }: CacheToPrune): Root[] {
  const found = readRecord(record);
  if (found === undefined) return [];
  if (found === 'damaged') {
    const what = `${record} is damaged, so that nobody knows what is still needed`;
    const remedy = 'start and stop a container that writes to the volume';
    throw new InitError({ stage: 'gc', what, errno: 'EINVAL', remedy, exitCode: Exit.config });
  }
  const { links } = found.record;
  const leads = destinations(links, { storeDir, stateDir });
  return [...leads].map(([path, to]) => ({ root: nameOf(path), path: to }));

  /** An indirect root by what it leads to, as Nix names it. */
  function nameOf(path: string): string {
    const link = links.get(path);
    return path.startsWith('gcroots/auto/') && link?.kind === 'symlink' ? link.target : `${stateDir}/${path}`;
  }
}

function validNames({ stateDir }: CacheToPrune): string[] {
  const file = databaseFile(stateDir);
  if (!existsSync(file)) return [];
  try {
    using database = openForReading(file);
    return database
      .prepare('select path from ValidPaths')
      .all()
      .map(({ path }) => basename(String(path)));
  } catch (error) {
    throw explainDatabase(error, file);
  }
}

const numbersOf = (names: readonly string[], { graph }: CacheContents): number[] =>
  names.flatMap((name) => graph.numbers.get(name) ?? []);

/** What needs others before those: a kill in between leaves nothing that lacks something. */
async function remove(
  chosen: readonly Chosen[],
  { files, measured, realisations }: CacheContents,
  { signal, onProgress }: CollectRequest,
): Promise<void> {
  const owners = new Map<string, number>();
  for (const { nar } of files.values()) owners.set(nar, (owners.get(nar) ?? 0) + 1);
  const told = new Map(realisations.map(({ path, output }) => [output, path]));
  for (const [index, { name }] of chosen.entries()) {
    signal.throwIfAborted();
    const file = files.get(name);
    if (file === undefined || !measured.paths.has(name)) continue;
    const realisation = told.get(name);
    if (realisation !== undefined) await rm(realisation, { force: true });
    await rm(file.narinfo, { force: true });
    const left = (owners.get(file.nar) ?? 1) - 1;
    owners.set(file.nar, left);
    if (left === 0) await rm(file.nar, { force: true });
    onProgress('deleting', index + 1, chosen.length);
  }
}

/** What stays for the sake of the store of this container. */
function ownStore({ storeDir }: CacheToPrune, valid: readonly string[], contents: CacheContents): Holder[] {
  const { graph, measured } = contents;
  const reached = closure(numbersOf(valid, contents), (number) => graph.references[number] ?? []);
  const cached = [...reached].flatMap((number) => measured.paths.get(graph.names[number] ?? '') ?? []);
  return cached.length === 0
    ? []
    : [{ root: `what ${storeDir} of this container has`, path: storeDir, bytes: spaceOf(cached) }];
}
