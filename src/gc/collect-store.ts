import { describePlaces } from '../state/check/places.ts';
import { type Chosen, choose, evictionOrder, type Goal } from './choose.ts';
import { deletePaths } from './delete.ts';
import { biggestHolders } from './holders.ts';
import { type Measured, measureStore } from './measure.ts';
import type { StoreToCollect } from './places.ts';
import type { Amount, DeletedPath, GcReport } from './report.ts';
import { emptyReserve, renewReserve } from './reserve.ts';
import { deleteStrays } from './strays.ts';
import { type Survey, survey } from './survey.ts';

/** What is to be done, and how it is told of. */
export type CollectRequest = {
  goal: Goal;
  dryRun: boolean;
  signal: AbortSignal;
  onProgress: (what: 'measuring' | 'deleting', done: number, total: number) => void;
};

/** Collects a store; on a full disk, too. */
export async function collectStore(store: StoreToCollect, request: CollectRequest): Promise<GcReport> {
  emptyReserve(store.realStateDir);
  try {
    return await collect(store, request);
  } finally {
    renewReserve(store.realStateDir);
  }
}

async function collect(store: StoreToCollect, request: CollectRequest): Promise<GcReport> {
  const { goal, dryRun, signal, onProgress } = request;
  const measuring = (done: number, total: number) => onProgress('measuring', done, total);
  const options = { signal, onProgress: measuring };
  const found = await survey({ store, signal }, options);
  const wanted = wantedOf(found, goal);
  const common = {
    looked: describePlaces(store.places),
    dryRun,
    lastUseFrom: store.accessTimes ? 'access times' : 'registration',
    before: amountOf(found.measured),
    maxSize: goal.maxBytes ?? null,
  } as const;
  const reportOf = (gone: readonly Chosen[], after: Amount, kept: readonly Chosen[]): GcReport => ({
    ...common,
    after,
    freed: sum(gone),
    deleted: gone.map((one) => deletedPath(store, one)),
    kept: kept.map(({ name }) => `${store.places.storeDir}/${name}`),
    under: after.bytes <= (goal.maxBytes ?? Number.POSITIVE_INFINITY),
    holders: biggestHolders(without(found, gone)),
  });
  if (dryRun) {
    const { bytes, paths } = common.before;
    return reportOf(wanted, { bytes: bytes - sum(wanted), paths: paths - wanted.length }, []);
  }
  await deleteStrays(found.measured, { store, signal });
  const { gone, kept } = await deletePaths({
    store,
    signal,
    graph: found.graph,
    chosen: wanted,
    onProgress: (done, total) => onProgress('deleting', done, total),
  });
  return reportOf(gone, amountOf(await measureStore(store.directory, options)), kept);
}

function wantedOf({ dead, graph, keep, measured }: Survey, goal: Goal): Chosen[] {
  return choose(evictionOrder(dead, graph, keep), measured.bytes, measured.paths.values(), goal);
}

const amountOf = ({ bytes, paths }: Measured): Amount => ({ bytes, paths: paths.size });

const sum = (chosen: readonly Chosen[]): number => chosen.reduce((bytes, { frees }) => bytes + frees, 0);

const deletedPath = ({ places }: StoreToCollect, { name, frees, lastUse }: Chosen): DeletedPath => ({
  path: `${places.storeDir}/${name}`,
  bytes: frees,
  lastUse: new Date(lastUse).toISOString(),
});

/** As it is when these are gone. */
function without(found: Survey, gone: readonly Chosen[]): Survey {
  const paths = new Map(found.measured.paths);
  for (const { name } of gone) paths.delete(name);
  return { ...found, measured: { ...found.measured, paths } };
}
