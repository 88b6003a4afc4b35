import { basename } from 'node:path';
import { closure } from './graph.ts';
import { spaceOf } from './space.ts';
import type { Survey } from './survey.ts';

/** What keeps cached paths from being deleted, and how much they take. */
export type Holder = { root: string; path: string; bytes: number };

const MOST_HOLDERS = 10;

/**
 * The roots that hold most space: of each what its closure takes in the cache, so that what several hold is counted with each
 * of them. A path with several roots is named by the first.
 */
export function biggestHolders({ measured, graph, roots }: Survey): Holder[] {
  const { numbers, references, names } = graph;
  const byPath = new Map(roots.toReversed().map(({ root, path }) => [path, root]));
  const holders: Holder[] = [];
  for (const [path, root] of byPath) {
    const start = numbers.get(basename(path));
    if (start === undefined) continue;
    const reached = closure([start], (number) => references[number] ?? []);
    const cached = [...reached].flatMap((number) => measured.paths.get(names[number] ?? '') ?? []);
    if (cached.length > 0) holders.push({ root, path, bytes: spaceOf(cached) });
  }
  return holders.sort((a, b) => b.bytes - a.bytes).slice(0, MOST_HOLDERS);
}
