import assert from 'node:assert/strict';
import { type Base, baseOf, placedBase } from '../../../../src/state/links/base.ts';
import type { Places } from '../../../../src/state/links/destination.ts';
import type { Entry, Links } from '../../../../src/state/links/links.ts';
import { planLinks, withChanges } from '../../../../src/state/links/plan.ts';

export const places: Places = { storeDir: '/nix/store', stateDir: '/nix/var/nix' };

/** Store paths by a letter; those in capitals are in neither layer. */
export const at = (letter: string): string => `/nix/store/${letter.repeat(32)}-${letter}`;
export const isPresent = (name: string): boolean => /-[a-z]$/.test(name);

type Tree = Readonly<Record<string, string | null>>;

/** Targets by path, with the directories that they are in; null: a directory, '': a file. */
export function links(tree: Tree): Links {
  const entries = new Map<string, Entry>();
  const directory: Entry = { kind: 'directory', mode: 0o755, uid: 0, gid: 0 };
  for (const [path, target] of Object.entries({ profiles: null, gcroots: null, ...tree })) {
    const parts = path.split('/');
    for (let length = 1; length < parts.length; length += 1) {
      const above = parts.slice(0, length).join('/');
      if (!entries.has(above)) entries.set(above, directory);
    }
    if (target === null) entries.set(path, directory);
    else if (target === '') entries.set(path, { kind: 'other' });
    else entries.set(path, { kind: 'symlink', target, uid: 0, gid: 0 });
  }
  return entries;
}

const show = (merged: Links): Record<string, string> =>
  Object.fromEntries(
    [...merged].map(([path, entry]) => [path, entry.kind === 'symlink' ? entry.target : entry.kind]),
  );

export type Merge = { base?: Tree | undefined; ours: Tree; theirs: Tree };

/**
 * Merges, and makes sure of what holds for any merge: that it is done when it is done, and that interrupted after any change
 * it comes to the same end, with what was brought known from the first record or from the last.
 * @returns the volume's links, directories left out.
 */
export function merged({ base, ours, theirs }: Merge): Record<string, string> {
  return mergedFrom(base === undefined ? [new Map()] : [baseOf(links(base))], links(ours), links(theirs))
    .result;
}

export function mergedFrom(
  bases: readonly Base[],
  ours: Links,
  theirs: Links,
): { result: Record<string, string>; volume: Links; base: Base } {
  const plan = (known: readonly Base[], from: Links) =>
    planLinks({ bases: known, ours: from, theirs, present: isPresent, places });
  const changes = plan(bases, ours);
  const volume = withChanges(ours, changes);
  const base = placedBase(theirs, volume, places);
  const where = JSON.stringify({
    bases: bases.map((known) => [...known]),
    ours: show(ours),
    theirs: show(theirs),
  });
  assert.deepEqual(plan([base], volume), [], `not done when it is done: ${where}`);
  for (const count of changes.keys()) {
    const half = withChanges(ours, changes.slice(0, count));
    assertParents(half);
    const again = withChanges(half, plan([...bases, base], half));
    assert.deepEqual(show(again), show(volume), `interrupted after ${count} changes: ${where}`);
  }
  assertParents(volume);
  const result = Object.entries(show(volume)).filter(([, kind]) => kind !== 'directory');
  return { result: Object.fromEntries(result), volume, base };
}

function assertParents(volume: Links): void {
  for (const path of volume.keys()) {
    const parent = path.split('/').slice(0, -1).join('/');
    if (parent !== '') assert.equal(volume.get(parent)?.kind, 'directory', `${path} is in no directory`);
  }
}

export const directoriesOf = (volume: Links): string[] =>
  [...volume].flatMap(([path, { kind }]) => (kind === 'directory' ? [path] : [])).sort();
