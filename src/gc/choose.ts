import { type Graph, type KeepSettings, requirements } from './graph.ts';
import { Space } from './space.ts';
import type { Usage } from './walk.ts';

/** A cached path that nothing needs. */
export type Dead = {
  name: string;
  usage: Usage;
  /** When it was last used, as far as is known, in milliseconds. */
  lastUse: number;
};

/** What is to be reached: without either, all of them go. */
export type Goal = {
  /** Until all takes no more than this. */
  maxBytes?: number | undefined;
  /** Only such as were last used before this, in milliseconds. */
  before?: number | undefined;
};

export type Chosen = Dead & { frees: number };

/**
 * The order in which dead paths go: those first that no row knows, then the least recently used. What needs a path goes before
 * it, as Nix demands, and a path counts as used whenever something was that needs it. Each beginning of the list can be deleted
 * by itself (of a cycle, which `keep-outputs` makes, only all).
 */
export function evictionOrder(dead: readonly Dead[], graph: Graph, keep: KeepSettings): Dead[] {
  const byNumber = new Map<number, Dead>();
  const unknown: Dead[] = [];
  for (const one of dead) {
    const number = graph.numbers.get(one.name);
    if (number === undefined) unknown.push(one);
    else byNumber.set(number, one);
  }
  const needed = requirements(graph, keep);
  const before = (number: number): number[] => (needed[number] ?? []).filter((one) => byNumber.has(one));
  const uses = effectiveUses(byNumber, before);
  const order: Dead[] = [];
  const seen = new Set<number>();
  for (const start of [...byNumber.keys()].sort(byUse)) emit(start);
  return [...unknown.sort((a, b) => a.lastUse - b.lastUse || compare(a, b)), ...order];

  function byUse(a: number, b: number): number {
    return (uses.get(a) ?? 0) - (uses.get(b) ?? 0) || compare(byNumber.get(a), byNumber.get(b));
  }

  /** What has to go before a path, and then that; not by recursion: chains can be long. */
  function emit(start: number): void {
    const stack = [{ number: start, left: false }];
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      const { number, left } = top;
      const one = byNumber.get(number);
      if (left && one !== undefined) order.push({ ...one, lastUse: uses.get(number) ?? one.lastUse });
      if (left || seen.has(number)) continue;
      seen.add(number);
      stack.push({ number, left: true });
      for (const next of before(number)) if (!seen.has(next)) stack.push({ number: next, left: false });
    }
  }
}

const compare = (a: Dead | undefined, b: Dead | undefined): number =>
  (a?.name ?? '') < (b?.name ?? '') ? -1 : 1;

/** Of each path the latest use of it and all that needs it. */
function effectiveUses(
  dead: ReadonlyMap<number, Dead>,
  before: (number: number) => number[],
): Map<number, number> {
  const neededBy = new Map<number, number[]>();
  for (const number of dead.keys())
    for (const one of before(number)) {
      const list = neededBy.get(one);
      if (list === undefined) neededBy.set(one, [number]);
      else list.push(number);
    }
  const uses = new Map<number, number>();
  // From the latest down: whoever is reached first is reached by the latest.
  for (const [start, { lastUse }] of [...dead].sort(([, a], [, b]) => b.lastUse - a.lastUse)) {
    if (uses.has(start)) continue;
    uses.set(start, lastUse);
    for (const todo = [start]; todo.length > 0; ) {
      for (const next of neededBy.get(todo.pop() ?? start) ?? []) {
        if (uses.has(next)) continue;
        uses.set(next, lastUse);
        todo.push(next);
      }
    }
  }
  return uses;
}

/**
 * Which of them go.
 * @param order as `evictionOrder` has it.
 * @param bytes what the whole cache takes.
 * @param all every cached path, of which the dead ones share files with others.
 */
export function choose(
  order: readonly Dead[],
  bytes: number,
  all: Iterable<Usage>,
  { maxBytes, before }: Goal,
): Chosen[] {
  const space = new Space(bytes, all);
  const chosen: Chosen[] = [];
  for (const one of order) {
    if (maxBytes !== undefined && space.bytes <= maxBytes) break;
    if (before !== undefined && one.lastUse >= before) continue;
    chosen.push({ ...one, frees: space.release(one.usage) });
  }
  return chosen;
}
