import { lstatSync } from 'node:fs';
import { Exit, InitError } from '../../errors.ts';
import { readInUserNamespace } from '../../linux/capabilities.ts';
import { findCommand } from '../../linux/commands.ts';
import { volumeLayout } from '../../volume/layout.ts';
import { readManifest } from '../../volume/manifest.ts';
import { type CheckRequest, checkStore, type Report } from '../check/check.ts';
import type { Finding } from '../check/findings.ts';
import { isOnVolume, type Places } from '../check/places.ts';
import { withScratch } from '../check/scratch.ts';
import { nixVersion } from '../nix-version.ts';
import { reconcile } from '../reconcile/reconcile.ts';
import { repairRemedy } from '../reconcile/update.ts';
import { fetchPaths } from './fetch.ts';
import { type Rescued, rescueDatabase } from './rescue.ts';
import { repairRows } from './rows.ts';

/** What a repair did. */
export type Repaired = {
  rescued?: Rescued;
  /** Paths that a substituter had. */
  fetched: string[];
  /** Paths of the image that are known again. */
  registered: string[];
  /** Paths that are no longer valid. */
  invalidated: string[];
};

export type RepairReport = Report & { repaired: Repaired };

/**
 * Puts right what a check finds wrong: fetches what can be fetched, registers what the image has, and makes the rest invalid.
 * What is right is not touched. The caller holds a lock.
 * @returns what is still wrong, and what was done.
 * @throws {InitError} 78 for a damaged database that cannot be rescued here.
 */
export async function repairStore(request: CheckRequest): Promise<RepairReport> {
  const { places } = request;
  let report = await checkStore(request);
  const [first] = report.findings;
  const rescued = first?.kind === 'corrupt' ? await rescue(request, first) : undefined;
  if (rescued !== undefined) report = await checkStore(request);

  const modified = new Set(report.findings.filter(({ kind }) => kind === 'modified').map(({ path }) => path));
  // Of the others it is known by now that they are what they should be.
  const contents = (name: string): boolean => modified.has(`${places.storeDir}/${name}`);
  const again = (): Promise<Report> => checkStore({ ...request, contents });
  const notes: string[] = [];
  if (report.findings.some(isLaidOver)) {
    if (isOnVolume(places)) {
      await sweep(places);
      report = await again();
    } else
      notes.push('what hides or covers paths of the image is swept at the next boot: restart the container');
  }
  const wrong = report.findings.filter(
    ({ kind }) => kind === 'missing' || kind === 'broken' || kind === 'modified',
  );
  const tried = await fetch(request, wrong.filter(isFault(places)), notes);
  if (tried.length > 0) report = await again();
  let rows = { registered: [] as string[], invalidated: [] as string[] };
  const left = report.findings.filter(isFault(places));
  if (left.length > 0) {
    const doomed = left.filter(({ kind }) => kind === 'modified').map(({ path }) => path);
    rows = await withScratch([], (scratch) => repairRows({ places, doomed, scratch: `${scratch}/image` }));
    report = await again();
  }
  if (report.findings.some(({ kind }) => kind === 'modified'))
    notes.push("what is modified in the image itself cannot be repaired here: use the image's original");
  const failed = new Set([...left.map(({ path }) => path), ...rows.invalidated]);
  const fetched = tried.filter((path) => !failed.has(path));
  const repaired = { ...(rescued === undefined ? {} : { rescued }), fetched, ...rows };
  return { ...report, notes: [...new Set([...report.notes, ...notes])], repaired };
}

const isLaidOver = ({ kind }: Finding): boolean => kind === 'hidden' || kind === 'merged';

/** What the database or a substituter can put right. What the image's own layer holds cannot be changed from here. */
const isFault =
  ({ storeDir, volume }: Places) =>
  ({ kind, path }: Finding): boolean => {
    if (kind === 'missing' || kind === 'broken' || kind === 'unregistered') return true;
    if (kind !== 'modified') return false;
    const own = volume === undefined ? path : volume.upper + path.slice(storeDir.length);
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

/** Nothing is mounted, so what a boot would do about the layers can be done at once. */
async function sweep({
  storeDir,
  stateDir,
  volume,
}: Places & { volume: NonNullable<Places['volume']> }): Promise<void> {
  const files = volumeLayout(volume.root);
  const xattrs = readManifest(files.manifest)?.xattrs ?? (readInUserNamespace() ? 'user' : 'trusted');
  await reconcile({
    image: volume.image,
    storeDir,
    nixStateDir: volume.image.stateDir,
    stateDir,
    upper: volume.upper,
    files,
    strategy: 'overlay',
    xattrs,
    nixVersion: () => nixVersion(findCommand('nix-daemon', process.env['PATH'])),
    breathe: async () => {},
    always: true,
  });
}

/** Has the substituters asked for what is not right. @returns what they had. */
async function fetch(request: CheckRequest, wrong: readonly Finding[], notes: string[]): Promise<string[]> {
  const { places, env, signal, onProgress } = request;
  if (wrong.length === 0) return [];
  if (places.kind === 'volume') {
    notes.push(
      'nothing is mounted, so nothing was fetched: a repair in a running container asks the substituters first',
    );
    return [];
  }
  const nixStore = findCommand('nix-store', env['PATH']);
  if (nixStore === undefined) {
    notes.push('nix-store is not here, so nothing was fetched');
    return [];
  }
  const paths = wrong.map(({ path }) => path);
  return await fetchPaths({ nixStore, paths, env, signal, onProgress });
}
