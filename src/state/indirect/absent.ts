import { readdirSync, symlinkSync, unlinkSync } from 'node:fs';
import { hasErrno } from '../../errors.ts';
import { makeDirectories } from '../../linux/directories.ts';
import { flushDirectory } from '../../linux/flush.ts';
import { entryPath } from '../tree.ts';
import { look } from './observe.ts';
import { absentDir, autoDir } from './place.ts';
import { absentName, autoNameOf, type IndirectRoot } from './roots.ts';

const ADOPTED = '';

/** Whether the direct root of an absent one is still there: a user may have removed it to be rid of the path. */
export const isKept = (state: string, root: IndirectRoot): boolean =>
  look(entryPath(absentDir(state), absentName(root))).is !== 'missing';

/** Makes direct roots of absent ones, and is sure of them. */
export function keepAbsent(state: string, roots: readonly IndirectRoot[]): void {
  if (roots.length > 0) makeDirectories(absentDir(state), 0o755);
  makeLinks(
    absentDir(state),
    roots.map((root) => ({ name: absentName(root), target: root.storePath })),
  );
}

/** Gives back the links in `gcroots/auto` that Nix removed while their project was away. */
export function restoreAuto(state: string, roots: readonly IndirectRoot[]): boolean {
  const links = roots.map(({ auto, target }) => ({ name: auto, target }));
  return makeLinks(autoDir(state), links);
}

/** Removes the direct roots that nothing waits for any more. */
export function releaseAbsent(state: string, roots: readonly IndirectRoot[]): void {
  const wanted = new Set(roots.map(absentName));
  for (const name of listAbsent(state)) {
    if (!wanted.has(name)) unlinkSync(entryPath(absentDir(state), name));
  }
}

/** What `gcroots/absent` says where no record does: what is rooted there, but not which mount it waits for. */
export function adoptAbsent(state: string, now: number): IndirectRoot[] {
  return listAbsent(state).flatMap((name) => {
    const auto = autoNameOf(name);
    const link = look(entryPath(absentDir(state), name));
    if (auto === undefined || link.is !== 'link') return [];
    const storePath = link.target;
    return [
      { auto, target: ADOPTED, storePath, mount: { target: ADOPTED, source: ADOPTED }, absentSince: now },
    ];
  });
}

/** Whether it was adopted, so that finding the same root anywhere answers the question. */
export const isAdopted = ({ mount }: IndirectRoot): boolean => mount.source === ADOPTED;

/** Only names that we make. */
function listAbsent(state: string): string[] {
  try {
    return readdirSync(absentDir(state), 'latin1').filter((name) => autoNameOf(name) !== undefined);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/** @returns whether any was missing. */
function makeLinks(directory: string, links: readonly { name: string; target: string }[]): boolean {
  let made = false;
  for (const { name, target } of links) {
    const path = entryPath(directory, name);
    if (look(path).is !== 'missing') continue;
    symlinkSync(Buffer.from(target, 'latin1'), path);
    made = true;
  }
  if (made) flushDirectory(directory);
  return made;
}
