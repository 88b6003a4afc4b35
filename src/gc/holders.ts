import { basename } from 'node:path';
import { closure, type Graph, referrersOf, walker } from './graph.ts';
import { spaceOf } from './space.ts';
import type { Survey } from './survey.ts';

/** What keeps cached paths from being deleted, and how much they take. */
export type Holder = { root: string; path: string; bytes: number };

const MOST_HOLDERS = 10;

/**
 * The roots that hold most space: of each what its closure takes in the cache, so that what several hold is counted with each
 * of them. A path with several roots is named by the first.
 */
export function biggestHolders({
  measured,
  graph,
  roots,
}: Pick<Survey, 'measured' | 'graph' | 'roots'>): Holder[] {
  const { numbers, references, names } = graph;
  const byPath = new Map(roots.toReversed().map(({ root, path }) => [path, root]));
  const usages = names.map((name) => measured.paths.get(name));
  // An image has thousands of roots, each with a closure as big as the image: none of that leads into the cache.
  const leading = leadingTo(
    usages.flatMap((usage, number) => (usage === undefined ? [] : number)),
    graph,
  );
  const reach = walker(references.map((list) => list.filter((one) => leading.has(one))));
  const holders: Holder[] = [];
  for (const [path, root] of byPath) {
    const start = numbers.get(basename(path));
    if (start === undefined || !leading.has(start)) continue;
    const cached = reach(start).flatMap((number) => usages[number] ?? []);
    holders.push({ root, path, bytes: spaceOf(cached) });
  }
  return holders.sort((a, b) => b.bytes - a.bytes).slice(0, MOST_HOLDERS);
}

/** All from which references lead to these, themselves included. */
function leadingTo(targets: readonly number[], graph: Graph): Set<number> {
  const referrers = referrersOf(graph);
  return closure(targets, (number) => referrers[number] ?? []);
}
