import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type KillPoint, killing } from '../harness/injection.ts';
import { type Booted, startBoot } from '../harness/namespaceBoot.ts';
import { overlay } from '../harness/namespaceStore.ts';
import { type ImageName, makeNixMachine, type NixMachine } from '../harness/nixMachine.ts';
import { installCommands } from '../harness/packages.ts';
import { type Outcome, run } from '../harness/run.ts';
import { startStraced } from '../harness/straced.ts';
import { makeWorkspace } from '../harness/workspace.ts';
import { type Calls, countCalls, watching } from './calls.ts';
import { readRows } from './readRows.ts';
import { readUniverse } from './readUniverse.ts';
import type { Row } from './rows.ts';
import type { Universe } from './universe.ts';

/** What is in upper/, each by the path that it has in the store. */
export interface Upper {
  paths: Set<string>;
  whiteouts: string[];
}

/** What strace has looked at, and what it saw. */
interface Traced {
  outcome: Outcome;
  log: string;
}

/** The real thing: a volume on which containers of some images take turns, one at a time. */
export interface Ground extends AsyncDisposable {
  universe: Universe;
  /** Where the boot of another image can be killed, and where Nix can. */
  calls: { boot: Calls; nix: Calls };
  /** What was done so far: boots that came up, and how many of the kills came before the end of what they were for. */
  tally: { boots: number; kills: number; inTime: number };
  /** A new volume, and no container. */
  reset(): Promise<void>;
  /** Boots a container, with the project directory mounted or not, up to its main command. */
  boot(image: ImageName, project: boolean): Promise<void>;
  /** The same, but init is killed at that call; `completed` when it makes fewer and comes to its own end. */
  killedBoot(image: ImageName, project: boolean, point: KillPoint): Promise<'killed' | 'completed'>;
  /** Ends the container; what PID 1 says of it. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<Outcome>;
  /** Runs a shell script in the running container. */
  script(text: string, kill?: KillPoint): Promise<Outcome>;
  /** The project directory, mounted or not. */
  project: string;
  rows(): Map<string, Row>;
  upper(): Upper;
  /** Whether the running container has a store path on disk. */
  isThere(path: string): boolean;
}

const volume = { umount: 'umount nix-cache', mount: 'mount -t tmpfs -o mode=755,size=64M volume nix-cache' };
const projectDirectory = 'project.source';

export async function makeGround(): Promise<Ground> {
  await installCommands({ strace: 'strace' });
  const nixMachine = await makeNixMachine();
  try {
    await nixMachine.machine.shell(`mkdir -p project ${projectDirectory}`);
    const universe = await readUniverse(nixMachine);
    return await operate(nixMachine, universe);
  } catch (error) {
    await nixMachine[Symbol.asyncDispose]();
    throw error;
  }
}

async function operate(nixMachine: NixMachine, universe: Universe): Promise<Ground> {
  const { machine } = nixMachine;
  let booted: Booted | undefined;
  let image: ImageName | undefined;
  const tally = { boots: 0, kills: 0, inTime: 0 };
  const count = (exitCode: number): void => {
    tally.kills += 1;
    if (exitCode !== 0) tally.inTime += 1;
  };

  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<Outcome> => {
    const ending = theBooted();
    booted = undefined;
    ending.signal(signal);
    return await ending.ended;
  };
  const theBooted = (): Booted => {
    if (booted === undefined) throw new Error('nothing runs');
    return booted;
  };
  const prepare = async (next: ImageName, project: boolean): Promise<void> => {
    if (next !== image) await nixMachine.switchImage(next);
    image = next;
    const mount = project ? `mount --bind ${projectDirectory} project` : '';
    // A nix-build that was killed leaves a root in /tmp: in a new container that leads nowhere.
    const clear = 'find tmp -mindepth 1 -delete; if mountpoint -q project; then umount project; fi';
    await machine.shell(`${clear}; ${mount}`);
  };

  const tracedBoot = async (expressions: string[]): Promise<Traced> => {
    await using straced = await startStraced(machine, { args: overlay('true') }, expressions);
    return { outcome: await straced.ended, log: await straced.log };
  };
  const script = async (text: string, tracer: string[] = []): Promise<Outcome> => {
    const enter = ['nsenter', `--target=${theBooted().init}`, '--mount', '--pid', '--root', '--wd'];
    const shell = ['env', '-i', 'PATH=/usr/bin:/bin', 'HOME=/root', 'sh', '-euc', text];
    const [file = '', ...args] = [...tracer, ...enter, ...shell];
    return await run(file, args);
  };
  const tracedScript = async (text: string, expressions: string[]): Promise<Traced> => {
    await using workspace = await makeWorkspace();
    const log = join(workspace.path, 'log');
    const words = expressions.flatMap((expression) => ['-e', expression]);
    const outcome = await script(text, ['strace', '-f', '-qqq', '-o', log, ...words]);
    return { outcome, log: readFileSync(log, 'utf8') };
  };
  const reset = async (): Promise<void> => {
    if (booted !== undefined) await end('SIGKILL');
    image = undefined;
    await machine.shell(`${volume.umount}; ${volume.mount}; find ${projectDirectory} -mindepth 1 -delete`);
  };
  const boot = async (next: ImageName, project: boolean): Promise<void> => {
    await prepare(next, project);
    const args = overlay('sh', '-c', 'echo ready; exec sleep infinity');
    booted = await startBoot(machine, { args });
    await booted.waitFor(/^ready$/m);
    tally.boots += 1;
  };
  /** An upgrade and a collection of all that there can be, to see what calls there are. */
  const countAll = async (): Promise<Ground['calls']> => {
    await reset();
    await boot('A', true);
    const building = [...universe.packages.keys()].map((name) => `-A ${name}`).join(' ');
    const nix = await tracedScript(`nix-build /packages.nix ${building} --no-out-link`, watching);
    await end('SIGKILL');
    await prepare('B', true);
    const boots = await tracedBoot(watching);
    return { nix: countCalls(nix.log), boot: countCalls(boots.log) };
  };

  return {
    universe,
    tally,
    calls: await countAll(),
    project: machine.path(`/${projectDirectory}`),
    reset,
    boot,
    end,
    async killedBoot(next, project, point) {
      await prepare(next, project);
      const { outcome } = await tracedBoot(killing(point));
      count(outcome.exitCode);
      // What unshare(1) says of a PID 1 that was killed differs; init itself has something to say when it fails.
      if (outcome.exitCode !== 0 && /nix-cache-init:/.test(outcome.stderr))
        throw new Error(`a boot to be killed at call ${point.n} of ${point.call} said: ${describe(outcome)}`);
      return outcome.exitCode === 0 ? 'completed' : 'killed';
    },
    async script(text, kill) {
      if (kill === undefined) return await script(text);
      const { outcome } = await tracedScript(text, killing(kill));
      count(outcome.exitCode);
      return outcome;
    },
    rows: () => readRows(machine.path('/nix-cache/var/nix')),
    upper: () => readUpper(machine.path('/nix-cache/upper')),
    isThere: (path) =>
      lstatSync(`/proc/${theBooted().init}/root${path}`, { throwIfNoEntry: false }) !== undefined,
    async [Symbol.asyncDispose]() {
      if (booted !== undefined) await end('SIGKILL');
      await nixMachine[Symbol.asyncDispose]();
    },
  };
}

export const describe = ({ exitCode, stdout, stderr }: Outcome): string =>
  `exit ${exitCode}\n${stdout}\n${stderr}`;

function readUpper(directory: string): Upper {
  const upper: Upper = { paths: new Set(), whiteouts: [] };
  if (lstatSync(directory, { throwIfNoEntry: false }) === undefined) return upper;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = `/nix/store/${entry.name}`;
    if (entry.isCharacterDevice()) upper.whiteouts.push(path);
    else upper.paths.add(path);
  }
  return upper;
}
