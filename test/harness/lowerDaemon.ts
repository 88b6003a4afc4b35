import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Booted, bootInNamespace, childrenOf, startBoot } from './namespaceBoot.ts';
import type { ImageName, NixMachine } from './nixMachine.ts';
import { type Outcome, tail } from './run.ts';

const socket = '/run/other/socket';

/** A second nix-daemon of the machine over a store of its own: a copy of that of an image. */
export interface LowerDaemon extends AsyncDisposable {
  /** What `lowerStore` is to be. */
  uri: string;
  /** The directory that its paths are in. */
  directory: string;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  /** Signals the process that accepts connections. */
  signal(signal: NodeJS.Signals): void;
  /** The same program again, at the same socket. */
  start(): Promise<void>;
  /** Has it do something: a shell script in which NIX_REMOTE leads to it, and which must succeed; its output, trimmed. */
  shell(script: string): Promise<string>;
}

/** @param root where its store and state are. */
export async function startLowerDaemon(
  { machine }: NixMachine,
  image: ImageName,
  root = '/other',
): Promise<LowerDaemon> {
  const directory = `${root}/store`;
  const encoded = encodeURIComponent(directory);
  const uri = `unix://${socket}?real=${encoded}`;
  await machine.shell(`rm -rf '.${root}'; cp -a images/${image} '.${root}'`);
  let running: Booted | undefined;
  const start = async (): Promise<void> => {
    const args = ['--store', `local?real=${encoded}&state=${encodeURIComponent(root)}/var/nix`];
    running = await startBoot(machine, {
      program: ['nix-daemon'],
      args,
      env: { NIX_DAEMON_SOCKET_PATH: socket },
    });
    while (!(await answers(machine.path(socket)))) await sleep(10);
  };
  const kill = async (): Promise<void> => {
    await running?.[Symbol.asyncDispose]();
    running = undefined;
  };
  const run = (script: string): Promise<Outcome> =>
    bootInNamespace(machine, {
      program: ['sh', '-euc', script],
      args: [],
      env: { NIX_REMOTE: uri },
    });
  await start();
  return {
    uri,
    directory,
    kill,
    signal: (signal) => running?.signal(signal),
    start,
    shell: async (script) => {
      // What its last client asked for is rooted as long as the process for that client lives.
      while (running !== undefined && childrenOf(running.init).length > 0) await sleep(10);
      const { exitCode, stdout, stderr } = await run(script);
      if (exitCode !== 0) throw new Error(`${script}: exit ${exitCode}\n${tail(stderr)}`);
      return stdout.trim();
    },
    [Symbol.asyncDispose]: kill,
  };
}

function answers(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const client = connect(path, () => resolve(true)).on('error', () => resolve(false));
  return promise.finally(() => client.destroy());
}
