import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { closure, type Graph } from '../../../src/gc/graph.ts';
import { biggestHolders } from '../../../src/gc/holders.ts';
import { graphOf, type Path, stores, usageOf } from './graphs.ts';

/** What holds these cached paths, with a root for each of some. */
function holdersOf(graph: Graph, cached: readonly Path[], rooted: readonly string[]) {
  const paths = new Map(cached.map((path) => [path.name, usageOf(path)]));
  const roots = rooted.map((name) => ({ root: `root of ${name}`, path: `/nix/store/${name}` }));
  return biggestHolders({ measured: { paths, strays: [], bytes: 0 }, graph, roots });
}

test('a root holds what its closure takes in the cache, also through paths that are not there', () => {
  const paths = [
    { name: 'program', refs: ['between'], bytes: 1 },
    { name: 'between', refs: ['library'] },
    { name: 'library', bytes: 10 },
    { name: 'image-only', refs: ['between-image'] },
    { name: 'between-image' },
  ];
  const cached = paths.filter(({ name }) => name === 'program' || name === 'library');
  assert.deepEqual(holdersOf(graphOf(paths), cached, ['library', 'image-only', 'program', 'unknown']), [
    { root: 'root of program', path: '/nix/store/program', bytes: 11 },
    { root: 'root of library', path: '/nix/store/library', bytes: 10 },
  ]);
});

test('of any store, the holders hold what closures say', () => {
  fc.assert(
    fc.property(stores, fc.infiniteStream(fc.boolean()), (paths, choices) => {
      const some = (): Path[] => paths.filter(() => choices.next().value);
      const [cached, rooted] = [new Set(some().map(({ name }) => name)), some().map(({ name }) => name)];
      const graph = graphOf(paths);
      const bytesOf = (name: string): number =>
        [...closure([graph.numbers.get(name) ?? 0], (number) => graph.references[number] ?? [])].filter(
          (number) => cached.has(`p${number}`),
        ).length;
      const expected = rooted.map(bytesOf).filter((bytes) => bytes > 0);
      const holders = holdersOf(
        graph,
        paths.filter(({ name }) => cached.has(name)),
        rooted,
      );
      assert.deepEqual(
        holders.map(({ bytes }) => bytes),
        expected.sort((a, b) => b - a).slice(0, 10),
      );
      for (const { path, bytes } of holders) assert.equal(bytes, bytesOf(path.slice('/nix/store/'.length)));
    }),
  );
});

test('the roots of an image are not followed one by one', () => {
  const count = 2000;
  // Each refers to the one before it, and has a root: closures of all sizes, none of them into the cache.
  const image = Array.from({ length: count }, (_, n) => ({
    name: `i${n}`,
    refs: n === 0 ? [] : [`i${n - 1}`],
  }));
  const cached = [{ name: 'mine', refs: [`i${count - 1}`] }];
  const graph = graphOf([...image, ...cached]);
  let looks = 0;
  const references = new Proxy(graph.references, {
    get(target, key) {
      looks += 1;
      return Reflect.get(target, key);
    },
  });
  const holders = holdersOf(
    { ...graph, references },
    cached,
    [...image, ...cached].map(({ name }) => name),
  );
  assert.deepEqual(holders, [{ root: 'root of mine', path: '/nix/store/mine', bytes: 1 }]);
  assert.ok(looks < 10 * count, `${looks}`);
});
