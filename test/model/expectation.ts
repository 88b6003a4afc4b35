/** What may be valid after an operation: all of `must`, nothing beyond `may`. */
export interface Expectation {
  must: ReadonlySet<string>;
  may: ReadonlySet<string>;
}

export const exactly = (paths: Iterable<string>): Expectation => {
  const must = new Set(paths);
  return { must, may: must };
};

/** What is wrong with an observation, in words; empty when nothing is. */
export function faultsOf(observed: { has(path: string): boolean } & Iterable<string>, expected: Expectation) {
  const lost = [...expected.must].filter((path) => !observed.has(path));
  const surplus = [...observed].filter((path) => !expected.may.has(path));
  return [
    ...lost.map((path) => `not valid: ${path}`),
    ...surplus.map((path) => `valid, but must not be: ${path}`),
  ].sort();
}
