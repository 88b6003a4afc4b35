import { posix } from 'node:path';
import { type Base, isSame } from './base.ts';
import { type Destination, follow, type Places } from './destination.ts';
import { currentGeneration, generationPath, generationsOf, retarget } from './generation.ts';
import type { Directory, Entry, Link, Links } from './links.ts';

export type LinkChange =
  | { do: 'remove'; path: string }
  | ({ do: 'directory'; path: string } & Omit<Directory, 'kind'>)
  | ({ do: 'link'; path: string } & Omit<Link, 'kind'>);

export type PlanRequest = {
  /**
   * What was brought by the image as of the last merge, and by those whose merge was interrupted: what agrees with any of
   * them is no user's. An empty one where nothing is known.
   */
  bases: readonly Base[];
  /** The volume's. */
  ours: Links;
  /** The image's. */
  theirs: Links;
  /** Whether a store path of this name is valid and in one of the layers: one that lost what it refers to runs no longer. */
  present: (name: string) => boolean;
  places: Places;
};

/**
 * Plans the three-way merge of an image's profiles and roots into the volume's: what nobody touched follows the image, what a
 * user changed stays, unless it leads to a store path that is gone. In an order in which no link leads astray meanwhile.
 */
export function planLinks(request: PlanRequest): LinkChange[] {
  const merge = new Merge(request);
  merge.takeLinks();
  return [...merge.takeDirectories(), ...merge.linkChanges(), ...merge.removals()];
}

/** Links as changes make them. */
export function withChanges(links: Links, changes: readonly LinkChange[]): Links {
  const changed = new Map<string, Entry>(links);
  for (const { path, ...change } of changes) {
    if (change.do === 'remove') {
      changed.delete(path);
      continue;
    }
    const { do: kind, ...entry } = change;
    changed.set(path, 'target' in entry ? { kind: 'symlink', ...entry } : { kind: 'directory', ...entry });
  }
  return changed;
}

class Merge {
  readonly #request: PlanRequest;
  /** The volume's links as they come to be. */
  readonly #merged: Map<string, Entry>;
  readonly #placed = new Map<string, Link>();
  /** Generations, each followed by the profile that is at it. */
  readonly #profiles: string[] = [];

  constructor(request: PlanRequest) {
    this.#request = request;
    this.#merged = new Map(request.ours);
  }

  /** Generations before the profiles that lead to them, and those before what leads to a profile. */
  takeLinks(): void {
    const { theirs, ours, places } = this.#request;
    const order = [...theirs.keys()]
      .filter((path) => this.#theirLink(path) !== undefined && !this.#isBlocked(path))
      .map((path) => ({ path, rank: this.#rank(path), hops: follow(path, ours, places).hops }))
      .toSorted((a, b) => a.rank - b.rank || a.hops - b.hops);
    for (const { path } of order) {
      if (this.#placed.has(path)) continue;
      const link = this.#theirLink(path);
      const generation = currentGeneration(path, theirs, places);
      const target = generation && this.#theirLink(generation.path);
      if (link === undefined) continue;
      if (generation !== undefined && target !== undefined) {
        if (this.#takesProfile(path)) this.#placeProfile({ path, link, generation: generation.path, target });
      } else if (this.#takes(path)) this.#place(path, link);
    }
  }

  /** Directories that the image has newly, and those that a link is to be placed in. */
  takeDirectories(): LinkChange[] {
    const { theirs } = this.#request;
    const needed = new Set([...this.#placed.keys()].flatMap(ancestors));
    const changes: LinkChange[] = [];
    for (const [path, entry] of theirs) {
      if (entry.kind !== 'directory' || this.#isBlocked(path)) continue;
      const own = this.#merged.get(path);
      if (own === undefined ? !needed.has(path) && !this.#isUntouched(path) : !this.#yields(path, own))
        continue;
      // Without the directory that it would be in, a user did not want it.
      if (ancestors(path).some((above) => !this.#merged.has(above))) continue;
      if (own !== undefined) changes.push({ do: 'remove', path });
      const { mode, uid, gid } = entry;
      changes.push({ do: 'directory', path, mode, uid, gid });
      this.#merged.set(path, entry);
    }
    return changes;
  }

  /**
   * A profile and its generation first: a profile that led to nothing must not meanwhile lead to another generation that the
   * image brings, as if somebody had wanted that.
   */
  linkChanges(): LinkChange[] {
    const { ours } = this.#request;
    const order = new Set([...this.#profiles, ...this.#placed.keys()]);
    return [...order].flatMap((path): LinkChange[] => {
      const link = this.#placed.get(path);
      if (link === undefined) return [];
      const { target, uid, gid } = link;
      const own = ours.get(path);
      if (own?.kind === 'symlink' && own.target === target) return [];
      return [{ do: 'link', path, target, uid, gid }];
    });
  }

  /** What an image brought once and has no more, and on a volume of which nothing is known what leads to nothing. */
  removals(): LinkChange[] {
    const { bases, ours, theirs } = this.#request;
    const unknown = bases.some(({ size }) => size === 0);
    const candidates = new Set(bases.flatMap((base) => [...base.keys()]));
    if (unknown) for (const path of ours.keys()) candidates.add(path);
    return [...candidates].flatMap((path): LinkChange[] => {
      if (theirs.has(path) || this.#placed.has(path) || ours.get(path)?.kind !== 'symlink') return [];
      const end = this.#destination(path);
      const unwanted = this.#isUntouched(path) ? this.#dangles(end) : unknown && this.#isGone(end);
      return unwanted ? [{ do: 'remove', path }] : [];
    });
  }

  #theirLink(path: string): Link | undefined {
    const entry = this.#request.theirs.get(path);
    return entry?.kind === 'symlink' ? entry : undefined;
  }

  #rank(path: string): number {
    const { theirs, places } = this.#request;
    if (currentGeneration(path, theirs, places) !== undefined) return 1;
    return follow(path, theirs, places).hops === 1 ? 0 : 2;
  }

  /** Something of the user's is where a directory would have to be. */
  #isBlocked(path: string): boolean {
    return ancestors(path).some((above) => {
      const own = this.#request.ours.get(above);
      return own !== undefined && own.kind !== 'directory' && !this.#yields(above, own);
    });
  }

  /** A link of an earlier image's where this one has a directory. */
  #yields(path: string, own: Entry): boolean {
    return (
      own.kind === 'symlink' &&
      this.#request.theirs.get(path)?.kind === 'directory' &&
      (this.#isUntouched(path) || this.#dangles(this.#destination(path)))
    );
  }

  #isUntouched(path: string): boolean {
    const { bases, ours } = this.#request;
    return bases.some((base) => isSame(base.get(path), ours.get(path)));
  }

  /** Whether the image's link is to take the place of what the volume has there. */
  #takes(path: string): boolean {
    const own = this.#merged.get(path);
    if (own === undefined) return this.#isUntouched(path);
    return own.kind === 'symlink' && (this.#isUntouched(path) || this.#dangles(this.#destination(path)));
  }

  /** The same for a profile, which is touched when its generation is. */
  #takesProfile(path: string): boolean {
    const { bases, ours, places } = this.#request;
    const own = ours.get(path);
    const generation = currentGeneration(path, ours, places);
    if (generation === undefined) return this.#takes(path);
    const untouched = bases.some(
      (base) => isSame(base.get(path), own) && isSame(base.get(generation.path), ours.get(generation.path)),
    );
    return untouched || this.#dangles(follow(path, ours, places).destination);
  }

  /** Where the image's number is a generation of the user's, the image's gets the next one that is free. */
  #placeProfile({ path, link, generation, target }: Placing): void {
    const { theirs, places } = this.#request;
    const leadsThere = (at: string): boolean => {
      const entry = this.#merged.get(at);
      return entry?.kind === 'symlink' && entry.target === target.target;
    };
    const current = currentGeneration(path, this.#merged, places);
    // By a number that only the volume has: then it is there.
    if (current !== undefined && leadsThere(current.path) && !theirs.has(current.path)) return;
    const existing = generationsOf(path, this.#merged);
    let chosen = generation;
    if (this.#merged.has(generation) && !leadsThere(generation)) {
      // Not one whose number the image has for something else: the next merge would have to decide between the two.
      const reused = existing.find((other) => leadsThere(other.path) && !theirs.has(other.path));
      const numbers = [...existing, ...generationsOf(path, theirs)].map(({ number }) => number);
      chosen = reused?.path ?? generationPath(path, Math.max(...numbers) + 1);
    }
    this.#place(chosen, target);
    this.#place(path, { ...link, target: retarget(link.target, chosen) });
    this.#profiles.push(chosen, path);
  }

  #place(path: string, link: Link): void {
    this.#placed.set(path, link);
    this.#merged.set(path, link);
  }

  #destination(path: string): Destination {
    return follow(path, this.#merged, this.#request.places).destination;
  }

  #isGone(end: Destination): boolean {
    return end.kind === 'store' && !this.#request.present(end.name);
  }

  #dangles(end: Destination): boolean {
    return end.kind === 'nowhere' || this.#isGone(end);
  }
}

type Placing = { path: string; link: Link; generation: string; target: Link };

/** The directories that a path is in, the outermost first. */
function ancestors(path: string): string[] {
  const parent = posix.dirname(path);
  return parent === '.' ? [] : [...ancestors(parent), parent];
}
