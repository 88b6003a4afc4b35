import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Following, follow, isAlive } from './following.ts';
import type { Machine } from './namespaceMachine.ts';
import { fixtures } from './paths.ts';
import type { Outcome } from './run.ts';

export interface NamespaceBoot {
  /** What /init is given. */
  args: string[];
  env?: Record<string, string>;
  /** A shell snippet that becomes the program, `"$@"`: what a container engine would do to it first. */
  via?: string;
  /** Runs this as PID 1 in the place of /init. */
  program?: string[];
  /** Mounts in the machine's own namespace, where what is left behind can be seen; else in a copy of it. */
  shared?: boolean;
  /** Boots in a user namespace, as rootless engines do: only root has a number in it, or many have. */
  rootless?: boolean | 'many';
  /** What can be read from its standard input; without it that is /dev/null. */
  input?: string;
}

/** A plain PID 1, for the tests that are not about the store. */
export const plain = (...command: string[]): string[] => ['--strategy', 'none', '--', ...command];

/** The command line that boots: namespaces, /proc, chroot, a clean environment, and PID 1. */
export function bootCommand(machine: Machine, boot: NamespaceBoot): [string, ...string[]] {
  const { args, env = {}, via = 'exec "$@"', program = ['/init'], shared = false, rootless = false } = boot;
  const variables = { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', HOME: '/root', ...env };
  return [
    // A test that is killed takes its boots along.
    ...(['setpriv', '--pdeathsig', 'KILL', 'nsenter'] as const),
    `--mount=/proc/${machine.holder}/ns/mnt`,
    ...(rootless === 'many' ? ['perl', join(fixtures, 'programs/user-namespace.pl')] : []),
    ...['unshare', '--pid', '--fork', '--kill-child', ...(shared ? [] : ['--mount'])],
    ...(rootless === true ? ['--user', '--map-root-user'] : []),
    ...['sh', join(fixtures, 'programs/boot.sh'), machine.root, via],
    ...['env', '-i', ...Object.entries(variables).map(([name, value]) => `${name}=${value}`)],
    ...[...program, ...args],
  ];
}

export interface Booted extends Following, AsyncDisposable {
  /** PID 1 by its number out here. */
  init: number;
  signal(signal: NodeJS.Signals | number): void;
}

/** Boots and leaves it running; killed at the end of the block, if it still is. */
export async function startBoot(machine: Machine, boot: NamespaceBoot): Promise<Booted> {
  const [file, ...args] = bootCommand(machine, boot);
  const following = follow(file, args, boot.input);
  const { child } = following;
  const ended = following.ended.then(async (outcome) => {
    // In a shared namespace the /proc of a PID namespace that is gone is ours to take away.
    if (boot.shared) await machine.shell('umount proc');
    return outcome;
  });
  const init = await firstChildOf(child);
  return {
    ...following,
    init,
    ended,
    signal: (signal) => {
      process.kill(init, signal);
    },
    async [Symbol.asyncDispose]() {
      // PID 1 goes with it (--kill-child), and the whole PID namespace with that.
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Boots and waits for the end. */
export async function bootInNamespace(machine: Machine, boot: NamespaceBoot): Promise<Outcome> {
  await using booted = await startBoot(machine, boot);
  return await booted.ended;
}

/** nsenter becomes unshare, whose one child becomes PID 1. -1 when it is over before that could be seen. */
async function firstChildOf(child: ChildProcess): Promise<number> {
  while (child.pid !== undefined && isAlive(child)) {
    const pid = firstChild(child.pid);
    if (pid !== undefined) return pid;
    await sleep(2);
  }
  return -1;
}

export const firstChild = (parent: number): number | undefined => childrenOf(parent)[0];

/** Of all its threads: to the kernel the one that forked is the parent. */
export function childrenOf(parent: number): number[] {
  try {
    return readdirSync(`/proc/${parent}/task`).flatMap((thread) =>
      readFileSync(`/proc/${parent}/task/${thread}/children`, 'latin1')
        .split(' ')
        .filter(Boolean)
        .map(Number),
    );
  } catch {
    // Gone, or never there: it has no children either way.
    return [];
  }
}
