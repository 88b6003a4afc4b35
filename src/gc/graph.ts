import type { DatabaseSync } from '../state/database.ts';

/** Which derivations and outputs Nix keeps for each other's sake (nix.conf(5)). */
export type KeepSettings = { keepOutputs: boolean; keepDerivations: boolean };

/** What the database says of how paths need each other. Paths go by numbers: there can be a million edges. */
export type Graph = {
  /** Names by number. */
  names: readonly string[];
  numbers: ReadonlyMap<string, number>;
  /** When each was registered, in milliseconds. */
  registered: readonly number[];
  references: readonly (readonly number[])[];
  /** The derivation that made each, if it is valid. */
  derivers: readonly (number | undefined)[];
  /** The valid outputs of each derivation. */
  outputs: ReadonlyMap<number, readonly number[]>;
};

/** Reads it, at one moment of the database. */
export function readGraph(database: DatabaseSync, storeDir: string): Graph {
  const names: string[] = [];
  const numbers = new Map<string, number>();
  const byId = new Map<number, number>();
  const registered: number[] = [];
  const references: number[][] = [];
  const made: (string | null)[] = [];
  const prefix = `${storeDir}/`;
  const rows = database.prepare('select id, path, registrationTime, deriver from ValidPaths').iterate();
  for (const { id, path, registrationTime, deriver } of rows) {
    const name = String(path);
    if (!name.startsWith(prefix)) continue;
    const number = names.push(name.slice(prefix.length)) - 1;
    numbers.set(name.slice(prefix.length), number);
    byId.set(Number(id), number);
    registered.push(Number(registrationTime) * 1000);
    references.push([]);
    made.push(deriver === null ? null : String(deriver).slice(prefix.length));
  }
  for (const { referrer, reference } of database.prepare('select referrer, reference from Refs').iterate()) {
    const [from, to] = [byId.get(Number(referrer)), byId.get(Number(reference))];
    if (from !== undefined && to !== undefined && from !== to) references[from]?.push(to);
  }
  const outputs = new Map<number, number[]>();
  for (const { drv, path } of database.prepare('select drv, path from DerivationOutputs').iterate()) {
    const [from, to] = [byId.get(Number(drv)), numbers.get(String(path).slice(prefix.length))];
    if (from === undefined || to === undefined) continue;
    const list = outputs.get(from);
    if (list === undefined) outputs.set(from, [to]);
    else list.push(to);
  }
  const derivers = made.map((name) => (name === null ? undefined : numbers.get(name)));
  return { names, numbers, registered, references, derivers, outputs };
}

/** What is reached from some paths, themselves included. */
export function closure(from: Iterable<number>, next: (number: number) => Iterable<number>): Set<number> {
  const reached = new Set(from);
  // A set is gone through in the order of its growth.
  for (const number of reached) for (const one of next(number)) reached.add(one);
  return reached;
}

/** The same from one path, for many of one graph: a set for each walk takes ten times as long. */
export function walker(next: readonly (readonly number[])[]): (start: number) => number[] {
  const lastWalk = new Uint32Array(next.length);
  let walk = 0;
  return (start) => {
    walk += 1;
    lastWalk[start] = walk;
    const reached = [start];
    for (const number of reached)
      for (const one of next[number] ?? []) {
        if (lastWalk[one] === walk) continue;
        lastWalk[one] = walk;
        reached.push(one);
      }
    return reached;
  };
}

/** All that Nix keeps for the sake of its roots (LocalStore::collectGarbage in src/libstore/gc.cc). */
export function liveClosure(
  roots: Iterable<number>,
  { references, derivers, outputs }: Graph,
  { keepOutputs, keepDerivations }: KeepSettings,
): Set<number> {
  return closure(roots, (number) => {
    const more = [...(references[number] ?? [])];
    const deriver = derivers[number];
    if (keepDerivations && deriver !== undefined) more.push(deriver);
    if (keepOutputs) more.push(...(outputs.get(number) ?? []));
    return more;
  });
}

/** For each path, which others refer to it. */
export function referrersOf({ references }: Graph): number[][] {
  const referrers: number[][] = references.map(() => []);
  for (const [from, list] of references.entries()) for (const to of list) referrers[to]?.push(from);
  return referrers;
}

/** For each path, which others Nix wants to be deleted before it, or with it. */
export function requirements(graph: Graph, { keepOutputs, keepDerivations }: KeepSettings): number[][] {
  const { derivers, outputs } = graph;
  const needed = referrersOf(graph);
  for (const [drv, made] of outputs)
    for (const output of made) {
      if (keepDerivations && derivers[output] === drv) needed[drv]?.push(output);
      if (keepOutputs) needed[output]?.push(drv);
    }
  return needed;
}
