import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { choose, type Dead, evictionOrder, type Goal } from '../../../src/gc/choose.ts';
import { type KeepSettings, liveClosure, requirements } from '../../../src/gc/graph.ts';
import type { SharedFile } from '../../../src/gc/walk.ts';
import { graphOf, type Path, stores, usageOf } from './graphs.ts';

const nixDefaults: KeepSettings = { keepOutputs: false, keepDerivations: true };

const deadOf = (paths: readonly Path[]): Dead[] =>
  paths.map((path) => ({ name: path.name, usage: usageOf(path), lastUse: path.use ?? 0 }));

function order(paths: readonly Path[], keep = nixDefaults): string[] {
  return evictionOrder(deadOf(paths), graphOf(paths), keep).map(({ name }) => name);
}

function chosen(paths: readonly Path[], goal: Goal): string[] {
  const dead = deadOf(paths);
  const all = dead.map(({ usage }) => usage);
  const files = new Set(all.flatMap(({ shared }) => [...shared]));
  const bytes = [...all, ...files].reduce((sum, one) => sum + one.bytes, 0);
  return choose(evictionOrder(dead, graphOf(paths), nixDefaults), bytes, all, goal).map(({ name }) => name);
}

test('the least recently used goes first', () => {
  assert.deepEqual(
    order([
      { name: 'b', use: 2 },
      { name: 'c', use: 3 },
      { name: 'a', use: 1 },
    ]),
    ['a', 'b', 'c'],
  );
});

test('what is needed is as recent as what needs it, and goes after it', () => {
  const paths = [
    { name: 'library', use: 1 },
    { name: 'program', use: 5, refs: ['library'] },
    { name: 'other', use: 3 },
  ];
  assert.deepEqual(order(paths), ['other', 'program', 'library']);
});

test('a derivation goes after its outputs, unless nix.conf does not keep it', () => {
  const paths = [
    { name: 'drv', use: 1, outputs: ['out'] },
    { name: 'out', use: 2, deriver: 'drv' },
  ];
  assert.deepEqual(order(paths), ['out', 'drv']);
  assert.deepEqual(order(paths, { keepOutputs: false, keepDerivations: false }), ['drv', 'out']);
});

test('with keep-outputs a derivation goes before its outputs', () => {
  const paths = [
    { name: 'drv', use: 2, outputs: ['out'] },
    { name: 'out', use: 1 },
  ];
  assert.deepEqual(order(paths, { keepOutputs: true, keepDerivations: false }), ['drv', 'out']);
});

test('what no row knows goes first, the oldest of it before', () => {
  const known = [{ name: 'known', use: 1 }];
  const dead = deadOf([...known, { name: 'new', use: 9 }, { name: 'old', use: 5 }]);
  const names = evictionOrder(dead, graphOf(known), nixDefaults).map(({ name }) => name);
  assert.deepEqual(names, ['old', 'new', 'known']);
});

test('without a goal all go; with a size no more than it takes; with an age only what is older', () => {
  const paths = [1, 2, 3, 4].map((use) => ({ name: `p${use}`, use, bytes: 10 }));
  assert.deepEqual(chosen(paths, {}), ['p1', 'p2', 'p3', 'p4']);
  assert.deepEqual(chosen(paths, { maxBytes: 25 }), ['p1', 'p2']);
  assert.deepEqual(chosen(paths, { maxBytes: 40 }), []);
  assert.deepEqual(chosen(paths, { before: 3 }), ['p1', 'p2']);
  // The age says who may go, the size how many have to.
  assert.deepEqual(chosen(paths, { before: 3, maxBytes: 35 }), ['p1']);
});

test('a file of several paths is freed with the last of them, and never while it has names elsewhere', () => {
  const inside: SharedFile = { bytes: 100, links: 3, met: 3 };
  const outside: SharedFile = { bytes: 100, links: 3, met: 2 };
  for (const [file, names] of [
    [inside, ['a', 'b']],
    [outside, ['a', 'b', 'c']],
  ] as const) {
    const paths = ['a', 'b', 'c'].map((name, use) => ({
      name,
      use,
      bytes: 1,
      shared: name === 'c' ? [] : [file],
    }));
    assert.deepEqual(chosen(paths, { maxBytes: 50 }), names);
  }
});

test('live is what roots need; derivations and outputs as nix.conf has it', () => {
  const paths = [
    { name: 'root', refs: ['lib'], deriver: 'drv' },
    { name: 'lib' },
    { name: 'drv', outputs: ['root', 'dev'] },
    { name: 'dev' },
    { name: 'dead', refs: ['lib'] },
  ];
  const graph = graphOf(paths);
  const live = (keepOutputs: boolean, keepDerivations: boolean): string[] =>
    [...liveClosure([0], graph, { keepOutputs, keepDerivations })]
      .map((number) => graph.names[number] ?? '')
      .sort();
  assert.deepEqual(live(false, false), ['lib', 'root']);
  assert.deepEqual(live(false, true), ['drv', 'lib', 'root']);
  assert.deepEqual(live(true, true), ['dev', 'drv', 'lib', 'root']);
});

test('every beginning of the order can be deleted by itself, and uses never fall in it', () => {
  fc.assert(
    fc.property(stores, (paths) => {
      const graph = graphOf(paths);
      const dead = evictionOrder(deadOf(paths), graph, nixDefaults);
      assert.equal(new Set(dead.map(({ name }) => name)).size, paths.length);
      const needed = requirements(graph, nixDefaults);
      const gone = new Set<number>();
      let last = 0;
      for (const { name, lastUse } of dead) {
        const number = graph.numbers.get(name) ?? -1;
        for (const before of needed[number] ?? []) assert.ok(gone.has(before), `${name} before p${before}`);
        gone.add(number);
        assert.ok(lastUse >= last);
        last = lastUse;
      }
    }),
  );
});
