/** The known word that a mistyped one most likely meant: the first of those that the fewest changes lead to. */
export function nearest(word: string, known: readonly string[]): string {
  const [first = ''] = known;
  const distances = known.map((other) => ({ other, distance: editDistance(word, other) }));
  return distances.reduce((best, one) => (one.distance < best.distance ? one : best), {
    other: first,
    distance: Number.POSITIVE_INFINITY,
  }).other;
}

/**
 * How many letters are to be put in, taken out or replaced to make one word of another (Levenshtein). The library for it
 * sets a quarter of a megabyte aside, at every boot.
 */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1];
    for (let column = 0; column < to.length; column += 1) {
      const replaced = (row[column] ?? 0) + (letter === to[column] ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
