import type { Row } from '../reconcile/rows.ts';

/** Those rows of which all that they refer to is known or among them: a path is only valid with its closure. */
export function wholeRows(candidates: readonly Row[], known: ReadonlySet<string>): Row[] {
  for (let rows = [...candidates]; ; ) {
    const there = new Set(rows.map(({ path }) => path));
    const whole = rows.filter(({ references }) =>
      references.every((path) => there.has(path) || known.has(path)),
    );
    if (whole.length === rows.length) return whole;
    rows = whole;
  }
}
