import type { MountInfo } from '../../linux/mountinfo.ts';

/** The mount that something lies on, told from others that may come to be at the same place: every project's is at /work. */
export type MountMark = { target: string; source: string };

/** A root in a mounted directory: `gcroots/auto/NAME` leads to a link there, and that into the store. Bytes, as latin1. */
export type IndirectRoot = {
  /** Its name in `gcroots/auto`. */
  auto: string;
  /** The link outside of the store. */
  target: string;
  storePath: string;
  mount: MountMark;
  /** Since when its mount has been absent, in milliseconds of the epoch; missing: it is there. */
  absentSince?: number;
};

/** What is known of them, and how `gcroots/auto` looked when that was read. */
export type RootRecord = { looks: string | null; roots: IndirectRoot[] };

export const markOf = ({ target, root, type, source }: MountInfo): MountMark => ({
  target,
  source: `${type} ${source} ${root}`,
});

export const isMounted = (mark: MountMark, mounts: readonly MountInfo[]): boolean =>
  mounts.some((mount) => {
    const { target, source } = markOf(mount);
    return target === mark.target && source === mark.source;
  });

/** The container's own file systems go with it, and what is on them: there is nothing to wait for. */
export const outlivesContainer = ({ target, type, root }: MountInfo): boolean =>
  target !== '/' && !(type === 'tmpfs' && root === '/');

const NAME = /^(.+)-([0-9a-z]{32})$/;

/** The name in `gcroots/absent`: several projects, one after the other at the same place, have the same name in `auto`. */
export function absentName({ auto, storePath }: Pick<IndirectRoot, 'auto' | 'storePath'>): string {
  const base = storePath.slice(storePath.lastIndexOf('/') + 1);
  return `${auto}-${base.slice(0, 32)}`;
}

/** The name in `gcroots/auto` of which one in `gcroots/absent` was made; undefined for one that is not of ours. */
export const autoNameOf = (absent: string): string | undefined => NAME.exec(absent)?.[1];
