import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ensureDist } from './dist.ts';
import { alone } from './lock.ts';
import { installCommands } from './packages.ts';
import { fixtures, rootfs } from './paths.ts';
import { runOk } from './run.ts';

export type VolumeKind = 'none' | 'directory' | 'tmpfs' | 'ext4';

export interface MachineOptions {
  /** What is at /nix-cache: nothing, a plain directory, or a file system of its own. */
  volume?: VolumeKind;
  size?: string;
  /** A root file system whose programs it has; the host's own without it. */
  base?: string;
}

/**
 * A root file system with our build in it, in a mount namespace of its own: a container without its engine. Everything
 * in it is gone with the process that holds the namespace, and that goes when its standard input closes, so even a
 * killed test leaves nothing but an empty directory.
 */
export interface Machine extends AsyncDisposable {
  /** The process that holds the mount namespace. */
  holder: number;
  /** Where the machine's root is, inside of its namespace. */
  root: string;
  /** The same place of a path in the machine, as seen from out here. */
  path(inside: string): string;
  /** What is mounted in the machine, oldest first: `TARGET TYPE`. */
  mounts(): string[];
  /** Runs a shell script in the machine's mount namespace, at its root, with the machine of the host around it. */
  shell(script: string): Promise<string>;
}

export async function makeMachine(options: MachineOptions = {}): Promise<Machine> {
  const { volume = 'tmpfs', size = '64M', base = '' } = options;
  await alone('dist', ensureDist);
  if (volume === 'ext4') await installCommands({ 'mkfs.ext4': 'e2fsprogs' });
  const root = await mkdtemp(join(tmpdir(), 'nix-cache-init-machine-'));
  const script = join(fixtures, 'programs/make-machine.sh');
  const args = ['--mount', '--', 'sh', script, root, rootfs, volume, size, base];
  const child = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const dispose = async (): Promise<void> => {
    child.ref();
    child.stdin.end();
    await closed;
    await rmdir(root);
  };
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), closed]);
  const holder = child.pid;
  if (line !== 'ready' || holder === undefined) {
    await dispose();
    throw new Error('the machine could not be made: see above');
  }
  // A machine that a test forgot must not keep the test's process from ending: with that it goes itself.
  for (const pipe of [child.stdin, child.stdout]) if (pipe instanceof Socket) pipe.unref();
  child.unref();
  return {
    holder,
    root,
    path: (inside) => `/proc/${holder}/root${root}${inside}`,
    mounts: () => mountsBelow(holder, root),
    shell: (script) =>
      runOk('nsenter', [
        `--mount=/proc/${holder}/ns/mnt`,
        ...['sh', '-euc', `cd "$1"\n${script}`, 'sh', root],
      ]),
    [Symbol.asyncDispose]: dispose,
  };
}

function mountsBelow(holder: number, root: string): string[] {
  const lines = readFileSync(`/proc/${holder}/mountinfo`, 'utf8').split('\n');
  return lines.flatMap((line) => {
    const [left = '', right = ''] = line.split(' - ');
    const target = left.split(' ')[4] ?? '';
    return target.startsWith(root) ? [`${target.slice(root.length)} ${right.split(' ')[0]}`] : [];
  });
}
