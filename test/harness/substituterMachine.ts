import type { MachineOptions } from './namespaceMachine.ts';
import { makeNixMachine, type NixMachine } from './nixMachine.ts';

/** The strategy without a daemon, and no other in its place. */
export const substituter = (...command: string[]): string[] => [
  ...['--strategy', 'substituter', '--on-unsupported', 'fail', '--daemon-enabled', 'no', '--'],
  ...command,
];

/** A machine with a real Nix whose volume holds a binary cache. */
export const makeSubstituterMachine = (options: Omit<MachineOptions, 'base'> = {}): Promise<NixMachine> =>
  makeNixMachine(options, substituter);
