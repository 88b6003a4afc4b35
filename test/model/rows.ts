/** What a Nix database says of one valid path. */
export interface Row {
  /** Without the path itself. */
  references: readonly string[];
  deriver: string | null;
  /** The other columns and the derivation's outputs as one text: what must not change when a row is kept. */
  record: string;
  /** The one column that is not in that. */
  registered: number;
}

export type Rows = ReadonlyMap<string, Row>;

/** What the collector keeps for these roots: their references and, as `keep-derivations` has it, their derivers. */
export function liveFrom(roots: Iterable<string>, rows: Rows): Set<string> {
  const live = new Set<string>();
  const queue = [...roots];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const row = rows.get(path);
    if (row === undefined || live.has(path)) continue;
    live.add(path);
    queue.push(...row.references);
    if (row.deriver !== null) queue.push(row.deriver);
  }
  return live;
}

/** Those of `rows` whose closure is whole: among themselves and `others`. */
export function wholeRows(rows: Rows, others: Rows): Map<string, Row> {
  const whole = new Map(rows);
  for (let before = -1; before !== whole.size; ) {
    before = whole.size;
    for (const [path, { references }] of whole) {
      if (!references.every((reference) => whole.has(reference) || others.has(reference))) whole.delete(path);
    }
  }
  return whole;
}

/** The paths that no other path refers to, a derivation's outputs counting as referrers: the collector's leaves. */
export function unreferenced(rows: Rows): string[] {
  const referred = new Set<string>();
  for (const { references, deriver } of rows.values()) {
    for (const reference of references) referred.add(reference);
    if (deriver !== null) referred.add(deriver);
  }
  return [...rows.keys()].filter((path) => !referred.has(path));
}

/** `rows` without those whose path is in `others`. */
export function without(rows: Rows, others: { has(path: string): boolean }): Map<string, Row> {
  return new Map([...rows].filter(([path]) => !others.has(path)));
}
