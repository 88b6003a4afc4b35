import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import type { Plan } from '../../src/store/plan.ts';
import { bootInNamespace, type NamespaceBoot } from './namespaceBoot.ts';
import type { NixMachine } from './nixMachine.ts';
import type { Outcome } from './run.ts';
import { idle, type RunningBoot, startRunningBoot } from './runningBoot.ts';

/** The Debians whose Nix has a local-overlay store. */
export const suitesWithLocalOverlay = ['trixie', 'forky'] as const;

export const localOverlay = (...flags: string[]): string[] => [
  ...['--strategy', 'local-overlay', '--on-unsupported', 'fail'],
  ...flags,
];

/** Boots with this strategy, runs a shell script as the main command, and waits for the end. */
export const bootLocalOverlay = (
  { machine }: NixMachine,
  script: string,
  flags: readonly string[] = [],
  options: Omit<NamespaceBoot, 'args'> = {},
): Promise<Outcome> =>
  bootInNamespace(machine, { ...options, args: [...localOverlay(...flags), '--', 'sh', '-euc', script] });

/** The same where it must go well; its output, trimmed. */
export async function runLocalOverlay(...boot: Parameters<typeof bootLocalOverlay>): Promise<string> {
  const { exitCode, stdout, stderr } = await bootLocalOverlay(...boot);
  assert.equal(exitCode, 0, `${stdout}\n${stderr}`);
  return stdout.trim();
}

/** Boots the machine's image with this strategy, and leaves it running. */
export const startLocalOverlay = ({ machine }: NixMachine, ...flags: string[]): Promise<RunningBoot> =>
  startRunningBoot(machine, { args: [...localOverlay(...flags), '--', ...idle] });

/** The command line of the lower store of an image, for a Nix of its own. */
export const imageStore =
  "--extra-experimental-features read-only-local-store --store 'local?real=/run/nix-cache-init/lower/store&state=/run/nix-cache-init/lower/nix&read-only=true'";

/** The store that the daemon was given. */
export async function daemonStore(running: RunningBoot): Promise<string> {
  const { steps }: Plan = JSON.parse(await running.shell('cat /run/nix-cache-init/boot.json'));
  const listen = steps.find((step) => step.do === 'listen');
  const uri = listen?.args?.[(listen.args.indexOf('--store') ?? -1) + 1];
  assert.ok(uri);
  return uri;
}

/** The names of store paths in the upper directory. */
export const upperNames = ({ machine }: NixMachine): string[] =>
  readdirSync(machine.path('/nix-cache/upper')).filter((name) => /^[a-z0-9]{32}-/.test(name));

/** What in the upper directory hides something below, at any depth. */
export const whiteoutsOf = async ({ machine }: NixMachine): Promise<string> =>
  await machine.shell('find nix-cache/upper -type c');

/**
 * In shell: waits until the daemon serves nobody. What a client asked for is rooted a moment longer than the client lives, until
 * the daemon's process for it is gone.
 */
export const daemonIdle =
  'until [ "$(grep -lx nix-daemon /proc/[0-9]*/comm 2>/dev/null | wc -l)" -le 1 ]; do sleep 0.02; done';
