import { isDiskFull } from '../../errors.ts';
import { settledLooks } from '../../linux/looks.ts';
import { readIfThere } from '../../linux/read.ts';
import { replaceFile } from '../../linux/replace.ts';
import type { Log } from '../../log.ts';
import { adoptAbsent, isAdopted, isKept, keepAbsent, releaseAbsent, restoreAuto } from './absent.ts';
import { listAuto, type Observed, observe, storePathAt } from './observe.ts';
import { autoDir, type RootPlaces } from './place.ts';
import { readRecord, renderRecord } from './record.ts';
import { absentName, type IndirectRoot, isMounted, type RootRecord } from './roots.ts';
import { settle } from './settle.ts';

/** How many roots in mounted directories are remembered. */
const MAX_THERE = 4096;

/**
 * At boot, before Nix can run: makes direct roots of those whose project is not mounted, as Nix would call their links stale
 * and collect what they lead to, and gives those that are back their own again. A full disk is no reason not to boot.
 */
export function settleIndirectRoots(places: RootPlaces, log: Log): void {
  try {
    settleAll(places, log);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    log.warn('no space to keep what absent projects have built: it may be collected', {
      error: String(error),
    });
  }
}

function settleAll(places: RootPlaces, log: Log): void {
  const { state, record } = places;
  const known = loadRecord(places, log);
  const looks = settledLooks(autoDir(state));
  const unchanged = looks === undefined || (looks !== null && looks === known.looks);
  if (known.stored && known.roots.length === 0 && unchanged) return;

  const { there, absent, given } = settle({
    roots: known.roots,
    mounts: known.roots.length > 0 ? places.mounts() : [],
    storePathOf: ({ target }) => storePathAt(target, places.storeDir),
    isKept: (root) => isKept(state, root),
    now: Date.now(),
  });
  for (const { target, storePath } of given)
    log.warn('too many roots wait for directories that are not mounted: one is given up', {
      target,
      storePath,
    });
  keepAbsent(state, absent);
  const restored = restoreAuto(state, there);
  const seen = unchanged && !restored ? { roots: there, complete: true } : observe(listAuto(state), places);
  const roots = join(absent, seen.roots, log);
  if (!known.stored || !isSame(roots, known.roots))
    replaceFile(record, renderRecord({ looks: restored || !seen.complete ? null : (looks ?? null), roots }));
  // Last: until it is written down that a root is back, only its link here keeps it.
  releaseAbsent(state, roots.filter(isAbsent));
}

/** Before the container ends: notes which roots are in mounted directories. */
export function recordIndirectRoots(places: RootPlaces, log: Log): void {
  const looks = settledLooks(autoDir(places.state));
  if (looks === undefined) return;
  const known = loadRecord(places, log);
  // A link in a project that was removed by hand, Nix not knowing, changes nothing else.
  if (looks !== null && looks === known.looks && known.roots.every(isAbsent)) return;
  const { roots, complete } = updateRoots(known.roots, undefined, places, log);
  const text = renderRecord({ looks: complete ? looks : null, roots });
  if (text !== readIfThere(places.record)) replaceFile(places.record, text);
}

/**
 * The roots that were known, and what has become of them.
 * @param changed names in `gcroots/auto` to look at, or undefined for all: others may be on a mount that does not answer.
 */
export function updateRoots(
  known: readonly IndirectRoot[],
  changed: ReadonlySet<string> | undefined,
  places: RootPlaces,
  log: Log,
): Observed {
  const mounts = places.mounts();
  const kept = known.filter(
    (root) => isAbsent(root) || changed?.has(root.auto) === false || !isMounted(root.mount, mounts),
  );
  const { roots, complete } = observe(changed ?? listAuto(places.state), places);
  return { roots: join(kept, roots, log), complete };
}

/** @returns what was recorded, and whether the file says so: where it is lost, what is rooted in `gcroots/absent` stays so. */
export function loadRecord({ state, record }: RootPlaces, log: Log): RootRecord & { stored: boolean } {
  const known = readRecord(record);
  if (known !== undefined && known !== 'damaged') return { ...known, stored: true };
  if (known === 'damaged') log.warn(`${record} is damaged: what is in mounted directories is noted anew`);
  const roots = adoptAbsent(state, Date.now());
  return { looks: null, roots, stored: known === undefined && roots.length === 0 };
}

/** By their texts, as the record has them: in another order they are written down once more, which does no harm. */
export const isSame = (roots: readonly IndirectRoot[], others: readonly IndirectRoot[]): boolean =>
  JSON.stringify(roots) === JSON.stringify(others);

const isAbsent = ({ absentSince }: IndirectRoot): boolean => absentSince !== undefined;

/** What is seen counts for more than what is remembered. */
function join(known: readonly IndirectRoot[], seen: readonly IndirectRoot[], log: Log): IndirectRoot[] {
  if (seen.length > MAX_THERE)
    log.warn(`more than ${MAX_THERE} roots in mounted directories: not all are kept`);
  const keyOf = ({ auto, mount }: IndirectRoot): string => JSON.stringify([auto, mount.target, mount.source]);
  const seenNames = new Set(seen.map(absentName));
  const remembered = known.filter((root) => !isAdopted(root) || !seenNames.has(absentName(root)));
  const all = new Map([...remembered, ...seen.slice(0, MAX_THERE)].map((root) => [keyOf(root), root]));
  // In an order of its own, so that equal records have equal texts.
  return [...all].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, root]) => root);
}
