import { type MergeRequest, mergeImageLinks } from '../../src/state/links/merge.ts';

/** A merge as data, with the names of the store paths that neither layer has. */
export type KillableMerge = Omit<MergeRequest, 'present'> & { gone: string[] };

export function merge({ gone, ...request }: KillableMerge): void {
  mergeImageLinks({ ...request, present: (name) => !gone.includes(name) });
}

// `node mergeLinks.ts REQUEST`: in a process of its own, which a test can kill.
if (import.meta.main) merge(JSON.parse(process.argv[2] ?? '') as KillableMerge);
