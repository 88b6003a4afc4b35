import type { Entry, Links } from '../state/links/links.ts';
import type { LinkChange } from '../state/links/plan.ts';

/** What makes the links that there are into the wanted ones: removals first, and directories before what is in them. */
export function difference(present: Links, wanted: Links): LinkChange[] {
  const removals = [...present].flatMap(([path, entry]): LinkChange[] =>
    entry.kind === 'symlink' && wanted.get(path)?.kind !== 'symlink' ? [{ do: 'remove', path }] : [],
  );
  const additions = [...wanted]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([path, entry]): LinkChange[] => {
      const there = present.get(path);
      if (entry.kind === 'other' || isAlike(there, entry)) return [];
      // Somebody's file or directory is in the way.
      if (there !== undefined && there.kind !== 'symlink') return [];
      const { kind, ...rest } = entry;
      return 'target' in rest
        ? [{ do: 'link', path, ...rest }]
        : kind === 'directory'
          ? [{ do: 'directory', path, ...rest }]
          : [];
    });
  return [...removals, ...additions];
}

function isAlike(one: Entry | undefined, other: Entry): boolean {
  if (one?.kind === 'symlink') return other.kind === 'symlink' && one.target === other.target;
  return one?.kind === other.kind;
}
