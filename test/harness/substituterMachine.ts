import { existsSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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
export async function publishElsewhere(
  ground: NixMachine,
  name: string,
): Promise<{ path: string; options: string }> {
  const key = '/tmp/elsewhere';
  const script = `
    mkdir -p ${key}
    nix-store --generate-binary-cache-key elsewhere ${key}/secret ${key}/public
    path=$(nix-build /packages.nix -A ${name} --no-out-link)
    nix copy --offline --to "file:///elsewhere?secret-key=${key}/secret" "$path"
    cat ${key}/public; echo; echo "$path"`;
  const outcome = await bootInNamespace(ground.machine, { args: plain('sh', '-euc', script) });
  if (outcome.exitCode !== 0) throw new Error(outcome.stderr);
  const [publicKey = '', path = ''] = outcome.stdout.trim().split('\n').slice(-2);
  await ground.switchImage('A');
  const options = `--option extra-substituters file:///elsewhere --option extra-trusted-public-keys ${publicKey}`;
  return { path, options };
}
