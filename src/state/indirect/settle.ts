import type { MountInfo } from '../../linux/mountinfo.ts';
import { type IndirectRoot, isMounted } from './roots.ts';

/** Roots that wait for a mount keep their closures from being collected, so they are not to become ever more. */
export const MAX_ABSENT = 256;

export type SettleRequest = {
  roots: readonly IndirectRoot[];
  mounts: readonly MountInfo[];
  /** The store path that a project's link leads to now; null: to none; undefined: that cannot be told. */
  storePathOf: (root: IndirectRoot) => string | null | undefined;
  /** Whether `gcroots/absent` has the link of a root that is known to have got one. */
  isKept: (root: IndirectRoot) => boolean;
  now: number;
};

export type Settled = {
  /** To be in `gcroots/auto`. */
  there: IndirectRoot[];
  /** To be in `gcroots/absent`. */
  absent: IndirectRoot[];
  /** As many as there are too many of. */
  given: IndirectRoot[];
};

/**
 * Decides for each known root whether it is there, waits for its mount, or has been given up: by removing the link in the
 * project, or ours in `gcroots/absent`.
 */
export function settle({ roots, mounts, storePathOf, isKept, now }: SettleRequest): Settled {
  const there: IndirectRoot[] = [];
  const waiting: IndirectRoot[] = [];
  for (const root of roots) {
    const { absentSince, ...known } = root;
    const storePath = storePathOf(root);
    if (storePath === root.storePath) there.push(known);
    else if (storePath !== undefined && isMounted(root.mount, mounts)) continue;
    else if (absentSince === undefined) waiting.push({ ...known, absentSince: now });
    else if (isKept(root)) waiting.push(root);
  }
  const newestFirst = waiting.toSorted((a, b) => (b.absentSince ?? 0) - (a.absentSince ?? 0));
  return { there, absent: newestFirst.slice(0, MAX_ABSENT), given: newestFirst.slice(MAX_ABSENT) };
}
