import { lstatSync } from 'node:fs';
import { Exit, InitError } from '../../errors.ts';
import { findCommand } from '../../linux/commands.ts';
import { type CheckRequest, checkStore, type Report } from '../check/check.ts';
import type { Finding, Kind } from '../check/findings.ts';
import { isOnVolume, type Places, visibleStore } from '../check/places.ts';
import { scratchPlaces, withScratch } from '../check/scratch.ts';
import { repairRemedy } from '../reconcile/update.ts';
import { fetchPaths } from './fetch.ts';
import { openMemory } from './memory.ts';
import { clearRescue, type Rescued, rescueDatabase } from './rescue.ts';
import { repairRows, restoreRows } from './rows.ts';
import { sweep } from './sweep.ts';

/** What a repair did. */
export type Repaired = {
  rescued?: Rescued;
  /** Paths of the image that are neither hidden nor covered any more. */
  swept: string[];
  /** Paths that a substituter had. */
  fetched: string[];
  /** Paths of the image that are known again. */
  registered: string[];
  /** Paths that are no longer valid. */
  invalidated: string[];
};

export type RepairReport = Report & { repaired: Repaired };

/** What is known in the middle of a repair. */
type State = {
  request: CheckRequest;
  /** As things are now. */
  report: Report;
  repaired: Repaired;
  notes: Set<string>;
};

/**
 * Puts right what a check finds wrong: fetches what can be fetched, registers what the image has, and makes the rest invalid.
 * What is right is not touched. The caller holds a lock.
 * @returns what is still wrong, and what was done.
 * @throws {InitError} 78 for a damaged database that cannot be rescued here.
 */
export async function repairStore(request: CheckRequest): Promise<RepairReport> {
  const state = await readable(request);
  await sweepLayers(state);
  await makeTrue(state);
  const { report, repaired, notes } = state;
  if (report.findings.some(({ kind }) => kind === 'modified'))
    notes.add("what is modified in the image itself cannot be repaired here: use the image's original");
  return { ...report, notes: [...report.notes, ...notes], repaired };
}

/** Checks, and saves what can be saved of a database that cannot be read. */
async function readable(request: CheckRequest): Promise<State> {
  const repaired: Repaired = { swept: [], fetched: [], registered: [], invalidated: [] };
  if (isOnVolume(request.places)) clearRescue(request.places);
  let report = await checkStore(request);
  const [first] = report.findings;
  if (first?.kind === 'corrupt') {
    repaired.rescued = await rescue(request, first);
    report = await checkStore(request);
  }
  const modified = new Set(pathsOf(report.findings, 'modified'));
  // Of the others it is known by now that they are what they should be.
  const contents = (name: string): boolean => modified.has(`${request.places.storeDir}/${name}`);
  return { request: { ...request, contents }, report, repaired, notes: new Set() };
}

const pathsOf = (findings: readonly Finding[], ...kinds: Kind[]): string[] =>
  findings.filter(({ kind }) => kinds.includes(kind)).map(({ path }) => path);

/** Those of some paths that are not in a report any more. */
const goneFrom = (findings: readonly Finding[], paths: readonly string[]): string[] => {
  const left = new Set(findings.map(({ path }) => path));
  return paths.filter((path) => !left.has(path));
};

/**
 * Does what a boot would do about the layers, where nothing is mounted. First: it remembers rows that it takes out, for the
 * image with which they are whole.
 */
async function sweepLayers(state: State): Promise<void> {
  const { places } = state.request;
  const { findings, inStep } = state.report;
  const over = pathsOf(findings, 'hidden', 'merged');
  const forBoot = state.repaired.rescued !== undefined || over.length > 0 || (findings.length > 0 && !inStep);
  if (!forBoot) return;
  if (!isOnVolume(places)) {
    if (over.length > 0)
      state.notes.add(
        'what hides or covers paths of the image is swept at the next boot: restart the container',
      );
    return;
  }
  const { forgotten } = await sweep(places);
  state.report = await checkStore(state.request);
  state.repaired.swept = goneFrom(state.report.findings, over);
  state.repaired.registered = goneFrom(state.report.findings, pathsOf(findings, 'unregistered'));
  state.repaired.invalidated = forgotten;
}

/**
 * Makes the database say what is true of the rest, has the substituters asked for what is no longer valid, and puts back what
 * was only so because of that.
 */
async function makeTrue(state: State): Promise<void> {
  const { request, report, repaired } = state;
  const { places } = request;
  const faults = report.findings.filter(isFault(places));
  if (faults.length === 0 && report.waiting.length === 0) return;
  const wrong = new Set(pathsOf(faults, 'missing', 'broken', 'modified'));
  const memory = openMemory(places, wrong);
  const doomed = pathsOf(faults, 'modified');
  const rows = await withScratch(scratchPlaces(places), (scratch) =>
    repairRows({ places, doomed, onTakenOut: memory.add, scratch: `${scratch}/image` }),
  );
  await fetch(state, [...wrong]);
  const { restored, valid } = await restoreRows(places, memory.rows());
  memory.forget(restored);
  state.report = await checkStore(request);
  repaired.fetched = [...wrong].filter((path) => valid.has(path)).sort();
  repaired.registered = [...repaired.registered, ...rows.registered];
  repaired.invalidated = [...repaired.invalidated, ...rows.invalidated.filter((path) => !valid.has(path))];
}

async function fetch({ request, notes }: State, paths: readonly string[]): Promise<void> {
  const { places, env, signal } = request;
  if (paths.length === 0) return;
  const nixStore = findCommand('nix-store', env['PATH']);
  if (places.kind !== 'volume' && nixStore !== undefined)
    return await fetchPaths({ nixStore, paths, env, signal });
  notes.add(
    nixStore === undefined
      ? 'nix-store is not here, so nothing was fetched'
      : 'nothing is mounted, so nothing was fetched: a repair in a running container asks the substituters too',
  );
}

/** What the database or a substituter can put right. What the image's own layer holds cannot be changed from here. */
const isFault =
  (places: Places) =>
  ({ kind, path }: Finding): boolean => {
    if (kind === 'missing' || kind === 'broken' || kind === 'unregistered') return true;
    if (kind !== 'modified') return false;
    const layer = places.volume?.upper ?? visibleStore(places);
    const own = layer + path.slice(places.storeDir.length);
    return lstatSync(own, { throwIfNoEntry: false }) !== undefined;
  };

async function rescue(request: CheckRequest, { path, detail }: Finding): Promise<Rescued> {
  const { places } = request;
  if (isOnVolume(places)) return await rescueDatabase({ ...request, places });
  throw new InitError({
    stage: 'check',
    what: `${path} is damaged (${detail}), and cannot be replaced where Nix uses it`,
    errno: 'EUCLEAN',
    remedy:
      places.kind === 'mounted' ? `stop the container, then ${repairRemedy}` : 'begin anew with the image',
    exitCode: Exit.config,
  });
}
