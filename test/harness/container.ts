import { docker, dockerOk, label, runId, uniqueName } from './docker.ts';
import { follow } from './following.ts';
import { nixImage } from './images.ts';
import type { Outcome } from './run.ts';
import { waitForText } from './waitForText.ts';

export interface Boot {
  image?: string;
  volume?: string;
  /** The mount itself can be refused or granted: `overlay` grants what the default strategy needs. */
  grant?: 'overlay' | 'nothing';
  /**
   * The host's unless asked otherwise: one of its own costs Docker two fifths of the processor's time that a container takes,
   * and the Nix of our images asks nobody. With `none` come a host name that is the container's, and proof of being offline.
   */
  network?: 'none' | 'host';
  flags?: string[];
  env?: Record<string, string>;
  /** What stands between the entry point and the command. */
  before?: string[];
  command: string[];
}

/** What `docker run` says of itself: there may be a container, and it does not go by itself. */
const FAILED = 125;

/** Boots, waits for the end, and says how it went. */
export async function boot(options: Boot): Promise<Outcome> {
  const name = uniqueName('boot');
  const outcome = await docker('run', '--rm', '--name', name, ...(await runArguments(options)));
  if (outcome.exitCode === FAILED) await docker('rm', '-f', '-v', name);
  return outcome;
}

export interface Container extends AsyncDisposable {
  name: string;
  exec(command: string[], ...flags: string[]): Promise<Outcome>;
  logs(): Promise<Outcome>;
  waitForLog(pattern: RegExp): Promise<string>;
  waitForEnd(): Promise<number>;
}

/** Boots in the background; removed at the end of the block, however that comes. */
export async function startContainer(options: Boot): Promise<Container> {
  const name = uniqueName('run');
  const logs = (): Promise<Outcome> => docker('logs', name);
  const container: Container = {
    name,
    exec: (command, ...flags) => docker('exec', ...flags, name, ...command),
    logs,
    waitForLog: (pattern) => waitForLog(name, pattern),
    waitForEnd: async () => Number(await dockerOk('wait', name)),
    async [Symbol.asyncDispose]() {
      await docker('rm', '-f', '-v', name);
    },
  };
  try {
    await dockerOk('run', '-d', '--name', name, ...(await runArguments(options)));
  } catch (error) {
    await container[Symbol.asyncDispose]();
    throw error;
  }
  return container;
}

/** A main command that says when it runs, which is when the store is mounted, and then does nothing. */
export const idle = ['sh', '-c', 'echo ready; exec sleep infinity'];

export async function startIdle(options: Omit<Boot, 'command'> = {}): Promise<Container> {
  const container = await startContainer({ ...options, command: idle });
  try {
    await container.waitForLog(/^ready$/m);
    return container;
  } catch (error) {
    await container[Symbol.asyncDispose]();
    throw error;
  }
}

/** Boots after a shell script, which does to the image what its owner might have done. */
export function after(script: string): Pick<Boot, 'flags' | 'before'> {
  return { flags: ['--entrypoint', 'sh'], before: ['-euc', `${script}; exec /init "$@"`, 'sh'] };
}

export async function runArguments(options: Boot): Promise<string[]> {
  const { volume, grant = 'overlay', network = 'host', flags = [], env = {}, command } = options;
  return [
    ...['--label', `${label}=${runId}`, '--network', network],
    ...(grant === 'overlay' ? ['--cap-add', 'SYS_ADMIN', '--security-opt', 'apparmor=unconfined'] : []),
    ...(volume === undefined ? [] : ['-v', `${volume}:/nix-cache`]),
    ...Object.entries(env).flatMap(([key, value]) => ['-e', `${key}=${value}`]),
    ...flags,
    options.image ?? (await nixImage()),
    ...(options.before ?? []),
    ...command,
  ];
}

/** What a command says that must succeed. */
export async function execOk(container: Container, ...command: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await container.exec(command);
  if (exitCode !== 0) throw new Error(`${command.join(' ')}: exit ${exitCode}\n${stderr}`);
  return stdout.trim();
}

/** Follows what it says, from the beginning. */
async function waitForLog(name: string, pattern: RegExp): Promise<string> {
  const log = follow('docker', ['logs', '--follow', name]);
  let goesOn = true;
  // With all of it here, which is later than the end of the process.
  const ended = log.ended.finally(() => {
    goesOn = false;
  });
  try {
    const match = await waitForText(
      () => `${log.output()}\n${log.errors()}`,
      pattern,
      () => goesOn,
    );
    return match.input;
  } finally {
    log.child.kill();
    await ended;
  }
}

export function allOutput(outcome: Outcome): string {
  return `${outcome.stdout}\n${outcome.stderr}`;
}
