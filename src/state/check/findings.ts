import { isStorePathName, overlaps } from '../reconcile/layers.ts';
import type { Names } from './names.ts';

/** What is wrong with a path. The order is that of a report. */
export const kinds = [
  'corrupt',
  'missing',
  'broken',
  'unregistered',
  'hidden',
  'merged',
  'modified',
] as const;

export type Kind = (typeof kinds)[number];

export type Finding = {
  kind: Kind;
  /** A store path; of `corrupt` the database. */
  path: string;
  /** For people. */
  detail: string;
};

/** What the databases say, by the names of paths. */
export type Said = {
  rows: { has(name: string): boolean; keys(): Iterable<string> };
  /** Rows that refer to a row which is not there. */
  dangling: ReadonlySet<string>;
  /** Paths that the image's database has. */
  image: ReadonlySet<string>;
  /** Those of them that the image has with all that they refer to. */
  whole: ReadonlySet<string>;
  /** Paths whose rows wait for an image with which they are whole. */
  waiting: ReadonlySet<string>;
};

export type Compared = { findings: Finding[]; garbage: string[]; waiting: string[] };

const details: Readonly<Record<'missing' | 'broken' | 'unregistered' | 'hidden' | 'merged', string>> = {
  missing: 'valid, and not there',
  broken: 'refers to a path that is not valid',
  unregistered: "the image's, and not in the database",
  hidden: "the image's, hidden by a whiteout on the volume",
  merged: "the image's, covered by a copy on the volume",
};

/** Compares what the databases say with what is there. */
export function compare(said: Said, names: Names, storeDir: string): Compared {
  const { rows, dangling, image, whole } = said;
  const { upper, lower, below, whiteouts, merging } = names;
  const findings: Finding[] = [];
  const pathsOf = (list: string[]): string[] => list.sort().map((name) => `${storeDir}/${name}`);
  const find = (kind: keyof typeof details, name: string): void => {
    findings.push({ kind, path: `${storeDir}/${name}`, detail: details[kind] });
  };
  const hidden = new Set([...whiteouts].filter((name) => isStorePathName(name) && lower.has(name)));
  const covered = overlaps(names).filter((name) => image.has(name) || (rows.has(name) && merging.has(name)));
  const isThere = (name: string): boolean => upper.has(name) || lower.has(name) || below?.has(name) === true;
  for (const name of rows.keys()) if (!isThere(name)) find('missing', name);
  for (const name of dangling) find('broken', name);
  for (const name of whole)
    if (!rows.has(name) && !hidden.has(name) && lower.has(name)) find('unregistered', name);
  for (const name of hidden) find('hidden', name);
  for (const name of covered) find('merged', name);

  const known = new Set(covered);
  const rest = [...upper].filter((name) => isStorePathName(name) && !rows.has(name) && !known.has(name));
  return {
    findings: inOrder(findings),
    garbage: pathsOf(rest.filter((name) => !said.waiting.has(name))),
    waiting: pathsOf(rest.filter((name) => said.waiting.has(name))),
  };
}

/** As a report has them. */
export const inOrder = (findings: readonly Finding[]): Finding[] =>
  findings.toSorted(
    (a, b) =>
      kinds.indexOf(a.kind) - kinds.indexOf(b.kind) || (a.path < b.path ? -1 : Number(a.path > b.path)),
  );
