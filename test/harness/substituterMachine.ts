import { existsSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { publishElsewhere, readPublished } from './elsewhere.ts';
import { bootInNamespace, plain } from './namespaceBoot.ts';
import type { Machine } from './namespaceMachine.ts';
import { makeNixMachine, type NixMachine, type NixMachineOptions } from './nixMachine.ts';

/** The strategy without a daemon, and no other in its place. */
export const substituter = (...command: string[]): string[] => [
  ...['--strategy', 'substituter', '--on-unsupported', 'fail', '--daemon-enabled', 'no', '--'],
  ...command,
];

/** A machine with a real Nix whose volume holds a binary cache. */
export const makeSubstituterMachine = (options: NixMachineOptions = {}): Promise<NixMachine> =>
  makeNixMachine(options, substituter);

/** What is in the binary cache, sorted. */
export const cacheNames = (machine: Machine): string[] =>
  readdirSync(machine.path('/nix-cache/binary-cache'), { recursive: true }).map(String).sort();

/** Whether the binary cache has a path. */
export const isKept = (machine: Machine, path: string): boolean =>
  existsSync(machine.path(`/nix-cache/binary-cache/${basename(path).slice(0, 32)}.narinfo`));

/** Waits for something that is about to happen; the test's own time is the limit. */
export async function until(happened: () => boolean, everyMs = 50): Promise<void> {
  while (!happened()) await sleep(everyMs);
}

/** Builds a package where no cache of ours is, and publishes it at /elsewhere; the container is a new one then. */
export async function publishFrom(
  ground: NixMachine,
  name: string,
): Promise<{ path: string; options: string }> {
  const args = plain('sh', '-euc', publishElsewhere(name));
  const outcome = await bootInNamespace(ground.machine, { args });
  if (outcome.exitCode !== 0) throw new Error(outcome.stderr);
  await ground.switchImage('A');
  const { path, options } = readPublished(outcome.stdout);
  return { path, options: options.join(' ') };
}
