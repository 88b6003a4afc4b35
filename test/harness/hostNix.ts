import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { helloDaemon } from '../../src/nix/hello.ts';
import { baseRoot, type Suite } from './base.ts';
import { isAlive } from './following.ts';
import { type Booted, bootInNamespace, startBoot } from './namespaceBoot.ts';
import { type Machine, makeMachine } from './namespaceMachine.ts';
import { assertVerified } from './nix.ts';
import { putNixFixtures } from './nixFixtures.ts';
import { waitForText } from './waitForText.ts';

/** A machine beside the containers with a store and a nix-daemon of its own, which they can have mounted. */
export interface HostNix extends AsyncDisposable {
  /** Where its /nix is, for `docker run -v`. */
  nix: string;
  socket: string;
  /** Runs a shell script on that machine. */
  shell(script: string): Promise<string>;
  /** Every row of its database has its path, every path its contents. */
  verify(): Promise<void>;
  /** @param answer what it has to answer when it runs: that it is one, or why it has nothing to say. */
  startDaemon(answer?: RegExp): Promise<Daemon>;
}

export interface Daemon extends AsyncDisposable {
  signal(signal: NodeJS.Signals): void;
}

/** @param shipped what its store has. */
export async function makeHostNix(
  suite: Suite = 'trixie',
  shipped: readonly string[] = ['b'],
): Promise<HostNix> {
  const made = new AsyncDisposableStack();
  try {
    const nix = await mkdtemp(join(tmpdir(), 'nix-cache-init-host-'));
    made.defer(() => rm(nix, { recursive: true, force: true }));
    const machine = made.use(await makeMachine({ volume: 'none', base: await baseRoot(suite) }));
    await mkdir(join(nix, 'store'));
    await mkdir(join(nix, 'var/nix'), { recursive: true });
    await machine.shell(`mount --bind ${nix} nix; ${putNixFixtures}`);
    const shell = (script: string): Promise<string> => runOn(machine, script);
    if (shipped.length > 0) await shell(`sh /fill-store.sh ${shipped.join(' ')}`);
    const socket = join(nix, 'var/nix/daemon-socket/socket');
    return {
      nix,
      socket,
      shell,
      verify: async () =>
        assertVerified(
          await bootInNamespace(machine, {
            program: ['nix-store', '--verify', '--check-contents'],
            args: [],
          }),
        ),
      startDaemon: (answer = /^daemon$/) => startDaemon(machine, socket, answer),
      [Symbol.asyncDispose]: () => made.disposeAsync(),
    };
  } catch (error) {
    await made.disposeAsync();
    throw error;
  }
}

/** Runs a shell script that must succeed on a machine; what it says, trimmed. */
export async function runOn(machine: Machine, script: string): Promise<string> {
  const program = ['sh', '-euc', script];
  const { exitCode, stdout, stderr } = await bootInNamespace(machine, { program, args: [] });
  if (exitCode !== 0) throw new Error(`${script}: exit ${exitCode}\n${stderr}`);
  return stdout.trim();
}

async function startDaemon(machine: Machine, socket: string, answer: RegExp): Promise<Daemon> {
  const daemon: Booted = await startBoot(machine, { program: ['nix-daemon'], args: [] });
  try {
    await waitForText(
      () => {
        const hello = helloDaemon(socket, 1000);
        return hello.kind === 'daemon' ? hello.kind : hello.what;
      },
      answer,
      () => isAlive(daemon.child),
    );
    return daemon;
  } catch (error) {
    await daemon[Symbol.asyncDispose]();
    throw error;
  }
}
