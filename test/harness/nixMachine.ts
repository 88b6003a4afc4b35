import assert from 'node:assert/strict';
import { baseRoot, type Suite } from './base.ts';
import { bootInNamespace, type NamespaceBoot } from './namespaceBoot.ts';
import { type Machine, type MachineOptions, makeMachine } from './namespaceMachine.ts';
import { overlay } from './namespaceStore.ts';
import { assertVerified, buildLine } from './nix.ts';
import { putNixFixtures } from './nixFixtures.ts';
import { type Outcome, tail } from './run.ts';

/** What each image ships, of test/fixtures/nix/packages.nix: its default profile is the first, the last has a root. */
export const shipped = {
  A: ['b', 'w', 'old'],
  /** The upgrade of A: one package is gone, one is new, and one (c) is what users of A may have built. */
  B: ['b', 'w', 'c', 'new'],
  /** Another image on the same volume. */
  C: ['b', 'c', 'd', 'w', 'side'],
} as const;

export type ImageName = keyof typeof shipped;

export const imageNames = Object.keys(shipped) as ImageName[];

/** A machine with a real Nix, one volume, and images that take turns on it. */
export interface NixMachine extends AsyncDisposable {
  machine: Machine;
  /** The next boots are of a new container of that image: only the volume is what it was. */
  switchImage(name: ImageName): Promise<void>;
  /** Boots, runs a command in the overlay, and waits for the end. */
  boot(command: readonly string[], options?: Omit<NamespaceBoot, 'args'>): Promise<Outcome>;
  /** The same for a shell script that must succeed; its output, trimmed. */
  nix(script: string): Promise<string>;
  /** Builds a package in a boot of its own; its path. */
  build(name: string): Promise<string>;
  /** In a boot of its own: every row has its path, and every path its contents. */
  verify(): Promise<void>;
}

export type NixMachineOptions = Omit<MachineOptions, 'base'> & {
  suite?: Suite;
  /** Those that there are to be, the first one among them. */
  images?: readonly ImageName[];
};

/** @param init how it boots: /init's arguments for a command. */
export async function makeNixMachine(
  { suite = 'trixie', images = imageNames, ...options }: NixMachineOptions = {},
  init: (...command: string[]) => string[] = overlay,
): Promise<NixMachine> {
  const machine = await makeMachine({ ...options, base: await baseRoot(suite) });
  try {
    await machine.shell(`mkdir -p images containers; ${putNixFixtures}`);
    for (const name of images) await fillImage(machine, name, ['sh', '/fill-store.sh', ...shipped[name]]);
    const nixMachine = operate(machine, init);
    await nixMachine.switchImage('A');
    return nixMachine;
  } catch (error) {
    await machine[Symbol.asyncDispose]();
    throw error;
  }
}

/** Does something to an image as a Dockerfile would, with the Nix that is in it. */
export async function fillImage(
  machine: Machine,
  name: ImageName,
  program: string[],
  env: Record<string, string> = {},
): Promise<void> {
  const image = `images/${name}`;
  await machine.shell(`mkdir -p ${image}/store ${image}/var/nix; mount --bind ${image} nix`);
  succeeded(await bootInNamespace(machine, { program, env, args: [] }));
  await machine.shell('umount nix');
}

function operate(machine: Machine, init: (...command: string[]) => string[]): NixMachine {
  let containers = 0;
  const boot: NixMachine['boot'] = (command, options = {}) =>
    bootInNamespace(machine, { ...options, args: init(...command) });
  const nix: NixMachine['nix'] = async (script) => succeeded(await boot(['sh', '-euc', script]));
  return {
    machine,
    boot,
    nix,
    async switchImage(name) {
      containers += 1;
      await machine.shell(container(`images/${name}`, `containers/${containers}`));
    },
    build: async (name) => (await nix(buildLine(name))).split('\n').at(-1) ?? '',
    verify: async () => assertVerified(await boot(['nix-store', '--verify', '--check-contents'])),
    [Symbol.asyncDispose]: () => machine[Symbol.asyncDispose](),
  };
}

/** An engine's own overlay, with a layer that the container writes to. */
const container = (image: string, directory: string): string => `
if mountpoint -q nix; then umount nix; fi
rm -rf containers/*
mkdir -p ${directory}/upper ${directory}/work
mount -t overlay -o lowerdir=${image},upperdir=${directory}/upper,workdir=${directory}/work container nix
`;

function succeeded({ exitCode, stdout, stderr }: Outcome): string {
  assert.equal(exitCode, 0, tail(`${stdout}\n${stderr}`));
  return stdout.trim();
}

/** A volume and a container of A as if new, for a test that shares a machine with others. */
export async function beginAnew(nix: NixMachine): Promise<void> {
  await nix.machine.shell('rm -rf nix-cache/* nix-cache/.nix-cache-init');
  await nix.switchImage('A');
}
