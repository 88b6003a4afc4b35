import { basename } from 'node:path';
import { volumeLayout } from '../../volume/layout.ts';
import { liveLayers } from '../check/names.ts';
import type { Places } from '../check/places.ts';
import { recall, remember } from '../reconcile/remembered.ts';
import type { Row } from '../reconcile/rows.ts';

/** Rows of paths that are what they should be, and not valid because something that they refer to is not. */
export type Memory = {
  /** Remembers rows, durably where they are of paths on the volume: killed after that, the next repair or reconcile has them. */
  add(rows: readonly Row[]): void;
  /** Those whose paths nobody has touched since. */
  rows(): Row[];
  /** Forgets those that are valid again. */
  forget(paths: ReadonlySet<string>): void;
};

/** @param wrong paths whose rows are not to be remembered. */
export function openMemory(places: Places, wrong: ReadonlySet<string>): Memory {
  const { volume } = places;
  const { upper, lower } = liveLayers(places);
  let others: Row[] = [];
  const recalled = (): Row[] =>
    volume === undefined ? [] : recall(volumeLayout(volume.root).remembered, volume.upper);
  const keep = (rows: readonly Row[]): void => {
    if (volume !== undefined) remember(volumeLayout(volume.root).remembered, volume.upper, rows, rows);
  };
  return {
    add(rows) {
      const right = rows.filter(({ path }) => !wrong.has(path));
      others = right.filter(({ path }) => volume === undefined || !upper.has(basename(path)));
      const own = right.filter(({ path }) => volume !== undefined && upper.has(basename(path)));
      keep([...recalled().filter(({ path }) => !wrong.has(path)), ...own]);
    },
    rows: () => [
      ...recalled(),
      ...others.filter(({ path }) => lower.has(basename(path)) || upper.has(basename(path))),
    ],
    forget(paths) {
      if (paths.size > 0) keep(recalled().filter(({ path }) => !paths.has(path)));
    },
  };
}
