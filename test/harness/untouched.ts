import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { Machine } from './namespaceMachine.ts';
import { everythingOf } from './treeSnapshot.ts';

/** Where anything of ours, or of Nix's, could be written. */
const places = ['/etc', '/nix', '/nix-cache', '/root', '/run', '/tmp', '/var'];

/** All that a write would change in a machine: inodes, times of change, contents, mounts. */
export function stateOf(machine: Machine): Record<string, unknown> {
  const trees = places
    .filter((place) => existsSync(machine.path(place)))
    .map((place) => [place, everythingOf(machine.path(place))]);
  return { ...Object.fromEntries(trees), mounts: machine.mounts() };
}

/** Does something that must change nothing in a machine. */
export async function untouched<T>(machine: Machine, act: () => Promise<T>): Promise<T> {
  const before = stateOf(machine);
  const result = await act();
  assert.deepEqual(stateOf(machine), before);
  return result;
}
