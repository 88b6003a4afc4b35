import { existsSync } from 'node:fs';
import { systemErrno } from '../errors.ts';
import { batches, NixFailure, type Running, runNix } from '../nix/program.ts';
import { storePathAt } from '../state/indirect/observe.ts';
import { applyLinks } from '../state/links/apply.ts';
import { type Base, baseOf, placedBase } from '../state/links/base.ts';
import { follow, type Places } from '../state/links/destination.ts';
import { type Links, readImageLinks } from '../state/links/links.ts';
import { type LinkChange, planLinks, withChanges } from '../state/links/plan.ts';
import { difference } from './difference.ts';
import { readPublicKey } from './key.ts';
import { narinfoOf, validPaths } from './new-paths.ts';
import { type CachePlaces, cacheUri, ownFiles, publicKey } from './places.ts';
import { type LinkRecord, readRecord } from './record.ts';
import { readStart, type Start, writeStart } from './start.ts';

/** What a boot knows of the container's profiles and roots that later records need. */
export type Restored = {
  start: Start;
  bases: readonly Base[];
  /** Those that could not be restored; they wait in the record for a container where they can. */
  unrestored: Links;
};

/**
 * Gives a new container the profiles and roots that the volume has, with what they lead to out of the binary cache and nowhere
 * else. The image's follow by the same three-way merge as on a volume with a state directory. What cannot be restored is said,
 * and is no reason not to boot.
 */
export async function restoreLinks(places: CachePlaces, running: Running): Promise<Restored> {
  const { own, record: file, stateDir, storeDir } = places;
  const start = readStart(places);
  const known = readRecord(file);
  if (known === 'damaged') running.log.warn(`${file} is damaged: profiles and roots are noted anew`);
  if (known === undefined || known === 'damaged')
    return { start, bases: [baseOf(start.links)], unrestored: new Map() };
  const { record, text } = known;
  // Restarted, and nobody else has had the volume since: what there is now is newer than what was noted.
  if (start.record === text)
    return { start, bases: record.bases, unrestored: pick(record.links, new Set(record.unrestored)) };

  const { links, base } = merge(places, start, record);
  const reached = destinations(links, { storeDir, stateDir });
  await substitute(places, new Set(reached.values()), running);
  const valid = validPaths(stateDir, reached.values());
  const gone = [...reached].filter(([, path]) => !valid.has(path)).map(([link]) => link);
  const wanted = new Map([...links].filter(([path]) => !gone.includes(path)));
  const refused = makeLinks(places, difference(readImageLinks(stateDir), wanted));
  const unrestored = new Set([...gone, ...refused]);
  if (unrestored.size > 0)
    running.log.warn(`profiles and roots that could not be restored: ${[...unrestored].join(' ')}`);
  const restored = { ...start, record: text };
  writeStart(own, restored);
  return { start: restored, bases: [base], unrestored: pick(links, unrestored) };
}

/** The volume's links, with what has become of the image's in this image. */
function merge(
  { cache, storeDir, stateDir }: CachePlaces,
  { links: theirs }: Start,
  { bases, links: ours }: LinkRecord,
): { links: Links; base: Base } {
  const at = { storeDir, stateDir };
  const named = new Set([...destinations(ours, at).values(), ...destinations(theirs, at).values()]);
  const valid = validPaths(stateDir, named);
  const present = (name: string): boolean =>
    valid.has(`${storeDir}/${name}`) || existsSync(narinfoOf(cache, name));
  const links = withChanges(ours, planLinks({ bases, ours, theirs, present, places: at }));
  return { links, base: placedBase(theirs, links, at) };
}

/** The store paths that links lead to; of those that leave the state directory, what a project that is mounted says. */
export function destinations(links: Links, places: Places): Map<string, string> {
  const found = new Map<string, string>();
  for (const [path, entry] of links) {
    if (entry.kind !== 'symlink') continue;
    const { destination } = follow(path, links, places);
    if (destination.kind === 'store') found.set(path, `${places.storeDir}/${destination.name}`);
    const elsewhere = destination.kind === 'elsewhere' ? storePathAt(entry.target, places.storeDir) : null;
    if (elsewhere) found.set(path, elsewhere);
  }
  return found;
}

/** Has Nix fetch what is missing from the binary cache: nothing is built for it, and no other cache asked. */
async function substitute(
  { cache, key, stateDir, nixStore }: CachePlaces,
  paths: ReadonlySet<string>,
  running: Running,
): Promise<void> {
  const valid = validPaths(stateDir, paths);
  const missing = [...paths].filter((path) => !valid.has(path) && existsSync(narinfoOf(cache, path)));
  if (missing.length === 0 || !existsSync(publicKey(key))) return;
  const options = {
    substituters: cacheUri(cache),
    'extra-trusted-public-keys': readPublicKey(key),
    substitute: 'true',
    'max-jobs': '0',
    builders: '',
  };
  const flags = Object.entries(options).flatMap(([name, value]) => ['--option', name, value]);
  for (const batch of batches(missing)) {
    try {
      await runNix([nixStore, '--realise', '--keep-going', '--store', 'local', ...flags, ...batch], running);
    } catch (error) {
      // Which it was that failed, the database tells.
      if (!(error instanceof NixFailure)) throw error;
      running.log.info(error.message);
    }
  }
}

/**
 * Makes links, each in one step.
 * @returns those that the file system refused.
 */
function makeLinks({ own, stateDir }: CachePlaces, changes: readonly LinkChange[]): string[] {
  return changes.flatMap((change) => {
    try {
      applyLinks(stateDir, [asOurselves(change)], ownFiles(own).temporary);
      return [];
    } catch (error) {
      if (systemErrno(error) === undefined) throw error;
      return [change.path];
    }
  });
}

/** Only root can give something away. */
function asOurselves(change: LinkChange): LinkChange {
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  return change.do === 'remove' || uid === 0 ? change : { ...change, uid, gid };
}

const pick = (links: Links, paths: ReadonlySet<string>): Links =>
  new Map([...links].filter(([path]) => paths.has(path)));
