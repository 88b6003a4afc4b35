import { bootInNamespace, type NamespaceBoot } from './namespaceBoot.ts';
import type { Machine } from './namespaceMachine.ts';
import type { Outcome } from './run.ts';

export const program = '/opt/nix-cache-init/bin/nix-cache-init';

/** Runs a command of ours in a machine as its own init would: what it mounts is there when it has ended. */
export const command = (
  machine: Machine,
  args: string[],
  boot: Omit<NamespaceBoot, 'args' | 'program' | 'shared'> = {},
): Promise<Outcome> => bootInNamespace(machine, { ...boot, shared: true, program: [program], args });

/** A shell script with our program in it as `$NCI`, in the place of a command. */
export const hookScript = (machine: Machine, script: string): Promise<Outcome> =>
  bootInNamespace(machine, {
    shared: true,
    program: ['/bin/sh'],
    args: ['-uc', script],
    env: { NCI: program },
  });
