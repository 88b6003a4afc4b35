import { appendFileSync, copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { bootInNamespace, type NamespaceBoot, startBoot } from '../harness/namespaceBoot.ts';
import { without } from '../harness/namespaceUsers.ts';
import type { NixMachine } from '../harness/nixMachine.ts';
import { fixtures } from '../harness/paths.ts';
import type { Outcome } from '../harness/run.ts';

/** How a strategy is asked for, and what it takes beside that to be used by somebody who is not root. */
export interface Way {
  flags: string[];
  /** As `Conditions.via`, for every container. */
  via?: string;
  asUser: Conditions & { prepare?: string };
}

/** Under which conditions a container starts. */
export interface Conditions {
  flags?: string[];
  /** What an engine would do to it first, as `NamespaceBoot.via`. */
  via?: string;
}

/** The daemon is init's, and the command somebody else's. */
const client = { flags: ['--user=alice'] };

/** As `docker run --user`, for whom volume and store are. */
const owner = {
  via: `
    busybox mount -t devpts -o ptmxmode=666 devpts /dev/pts
    exec setpriv --reuid 1000 --regid 1000 --clear-groups "$@"`,
  prepare: 'chown 1000:1000 nix-cache; chown -R 1000:1000 nix',
};

/**
 * What a user mounts of the host: here it is the machine that boots run on, or another whose /nix is at /host.
 */
const hostMounts = `
  host=/nix
  if test -d /host; then host=/host; mkdir -p /nix/var/nix/daemon-socket; fi
  busybox mount --bind $host/store /nix/store
  busybox mount -o remount,bind,ro /nix/store
  busybox mount --bind $host/var/nix/daemon-socket /nix/var/nix/daemon-socket`;

export const ways = {
  overlay: { flags: [], asUser: client },
  'local-overlay': { flags: [], asUser: client },
  prefix: { flags: ['--store-dir=/nix-cache/store'], asUser: owner },
  host: { flags: [], via: hostMounts, asUser: client },
  substituter: { flags: [], asUser: owner },
  none: { flags: [], asUser: { flags: [...client.flags, '--daemon-enabled=yes'] } },
} as const satisfies Record<string, Way>;

export type Strategy = keyof typeof ways;
export const strategies = Object.keys(ways) as Strategy[];

/** As containers have it: a /run of its own, since all boots of a machine share the rest. */
const ownRun = 'busybox mount -t tmpfs run /run; mkdir -p /run/nix-cache-init';

export const readOnlyRoot: Conditions = {
  via: 'for dir in /nix /; do busybox mount -o remount,bind,ro $dir; done; busybox mount -t tmpfs tmp /tmp; exec "$@"',
};
/** Another container of the same image, beside one that runs. */
export const another: Conditions = {
  via: `
    busybox mount -t tmpfs layer /mnt
    mkdir /mnt/upper /mnt/work
    busybox mount -t overlay -o lowerdir=/images/A,upperdir=/mnt/upper,workdir=/mnt/work container /nix
    exec "$@"`,
};
export const withoutSysAdmin: Conditions = { via: without('sys_admin') };

function bootOf(
  strategy: Strategy,
  script: string,
  { flags = [], via = 'exec "$@"' }: Conditions,
): NamespaceBoot {
  const way: Way = ways[strategy];
  return {
    args: [
      ...['--strategy', strategy, '--on-unsupported', 'fail', ...way.flags, ...flags],
      ...['--', 'sh', '-euc', script],
    ],
    env: { HOME: '/tmp' },
    via: `set -e\n${ownRun}\n${way.via ?? ''}\n${via}`,
  };
}

/** Runs a script as the main command of a container. */
export const run = (
  { machine }: NixMachine,
  strategy: Strategy,
  script: string,
  conditions: Conditions = {},
): Promise<Outcome> => bootInNamespace(machine, bootOf(strategy, script, conditions));

export const start = ({ machine }: NixMachine, strategy: Strategy, script: string) =>
  startBoot(machine, bootOf(strategy, script, {}));

/** Has a daemon of the host running, over the store that is its image's for a container of another strategy. */
export async function withHost<T>(nix: NixMachine, act: (nix: NixMachine) => Promise<T>): Promise<T> {
  const args = ['--strategy=none', '--daemon-enabled=yes', '--', 'sh', '-c', 'echo up; exec sleep infinity'];
  await using host = await startBoot(nix.machine, { args });
  await host.waitFor(/up/);
  // The store stays, whatever the image.
  return await act({ ...nix, switchImage: async () => {} });
}

/** A user, and what `nix develop` is shown with: a shell whose environment has a package. */
export function prepareMachine({ machine }: NixMachine): void {
  mkdirSync(machine.path('/mnt'));
  appendFileSync(machine.path('/etc/passwd'), 'alice:x:1000:1000::/tmp:/bin/sh\n');
  copyFileSync(join(fixtures, 'nix/shell.nix'), machine.path('/shell.nix'));
}
