import fc from 'fast-check';
import type { Graph } from '../../../src/gc/graph.ts';
import type { SharedFile, Usage } from '../../../src/gc/walk.ts';

/** A path of a made-up store. */
export type Path = {
  name: string;
  refs?: string[];
  use?: number;
  bytes?: number;
  deriver?: string;
  outputs?: string[];
  shared?: SharedFile[];
};

export function graphOf(paths: readonly Path[]): Graph {
  const numbers = new Map(paths.map(({ name }, number) => [name, number]));
  const numbersOf = (names: readonly string[] = []): number[] =>
    names.flatMap((name) => numbers.get(name) ?? []);
  return {
    names: paths.map(({ name }) => name),
    numbers,
    registered: paths.map(({ use = 0 }) => use),
    references: paths.map(({ refs }) => numbersOf(refs)),
    derivers: paths.map(({ deriver }) => (deriver === undefined ? undefined : numbers.get(deriver))),
    outputs: new Map(
      paths.flatMap(({ outputs }, number) => (outputs === undefined ? [] : [[number, numbersOf(outputs)]])),
    ),
  };
}

export const usageOf = ({ bytes = 1, use = 0, shared = [] }: Path): Usage => ({
  bytes,
  shared: new Set(shared),
  read: use,
  changed: use,
});

/** Paths that refer to earlier ones, so without a circle. */
export const stores = fc
  .array(fc.record({ use: fc.nat(20), refs: fc.array(fc.nat(50), { maxLength: 3 }) }), { maxLength: 40 })
  .map((list) =>
    list.map(({ use, refs }, number) => ({
      name: `p${number}`,
      use,
      refs: number === 0 ? [] : refs.map((ref) => `p${ref % number}`),
    })),
  );
