import { existsSync, lstatSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../config/keys.ts';
import { toInitError } from '../errors.ts';
import { hasSysAdmin, readInUserNamespace } from '../linux/capabilities.ts';
import { findCommand } from '../linux/commands.ts';
import { type Credentials, parseCredentials } from '../linux/credentials.ts';
import { isReadOnly, mountOf, readMountInfo } from '../linux/mountinfo.ts';
import { databaseFile } from '../state/database.ts';
import { stateBeside } from '../state/lowers/lowers.ts';
import { userConfFiles } from '../state/nix-conf.ts';
import { nixVersion } from '../state/nix-version.ts';
import { probeVolume, type VolumeFacts } from '../volume/probe.ts';
import type { HostFacts } from './host-facts.ts';
import { findLeftovers } from './leftovers.ts';
import type { LowerStoreFacts } from './lower-store-facts.ts';
import { runDir, runLayout } from './run-layout.ts';
import { findMarkedConfs, lookForWritable, type Writable } from './writable.ts';

/** What is true of this machine, image and volume; gathered once at boot, by looking and never by trying. */
export type Facts = {
  root: boolean;
  sysAdmin: boolean;
  credentials: Credentials;
  userNamespace: boolean;
  volume: VolumeFacts;
  /** Targets that an earlier boot left mounted, newest first. */
  leftovers: string[];
  storeDir: boolean;
  stateDir: boolean;
  /** Further lowers, as configured; whether a store is there, and a database of Nix beside it. */
  lowers: { store: string; there: boolean; database: boolean }[];
  /** Whether scratch of this boot can be written where the image's state directory is. */
  stateReadOnly: boolean;
  /** Where Nix writes build logs, beside the state directory; undefined when the image has no such directory. */
  logDir: string | undefined;
  runReadOnly: boolean;
  nixConf: {
    dir: string;
    kind: 'file' | 'symlink' | 'missing' | 'no directory';
    readOnly: boolean;
    /** NIX_CONFIG, which comes after the file. */
    variable?: string | undefined;
  };
  daemon: { path: string | undefined; socket: string };
  /** Nix's programs, and what may be written to without a mount; looked for when somebody wants to know. */
  readonly nix: { nix: string | undefined; nixStore: string | undefined };
  readonly writable: Writable;
  /** Whether that socket, or its directory, was mounted by somebody: then it is another daemon's. */
  socketMounted: boolean;
  /** What of another machine's Nix is here; asked when somebody wants to know: it takes a talk with its daemon. */
  readonly host: HostFacts;
  /** What the daemon says of its version, such as `2.34.1`; asked when somebody wants to know: it takes a process. */
  readonly nixVersion: string | null;
  /** The image's database as one who may not write finds it; `unwritten`: part of it is in the write-ahead log alone. */
  readonly imageDatabase: 'whole' | 'unwritten' | 'missing';
  /** Whether the image's store has the directory for hard links that Nix makes in each store that it opens. */
  readonly storeLinks: boolean;
  /** The store of another daemon, asked when somebody wants to know; undefined: not configured. */
  readonly lowerStore: LowerStoreFacts | undefined;
  /** The files that Nix reads as the user's settings; the first counts most. */
  readonly userConfFiles: string[];
  /** The directory of the settings of all users of the container (XDG base directory specification). */
  userConfDir: string;
  /** Files of settings that still have lines of a boot that was killed, and are ours to change. */
  markedConfs: string[];
};

/**
 * @param host whether `host` will be asked for: the code for it is not loaded at every boot.
 * @throws {InitError} when /proc cannot be read, which knows most of them.
 */
export async function gatherFacts(
  config: Config,
  env: NodeJS.ProcessEnv,
  { host = config.strategy === 'host' } = {},
): Promise<Facts> {
  const rare: Rare = {
    ...(host ? await import('./host-facts.ts') : {}),
    ...(config.lowerStore === undefined ? {} : await import('./lower-store-facts.ts')),
  };
  try {
    return look(config, env, rare);
  } catch (error) {
    throw toInitError(error, 'facts', 'cannot look at /proc and the volume');
  }
}

/** What few boots look at. */
type Rare = {
  lookAtHost?: typeof import('./host-facts.ts').lookAtHost;
  lookAtLowerStore?: typeof import('./lower-store-facts.ts').lookAtLowerStore;
};

function look(config: Config, env: NodeJS.ProcessEnv, { lookAtHost, lookAtLowerStore }: Rare): Facts {
  const status = readFileSync('/proc/self/status', 'latin1');
  const mounts = readMountInfo();
  const readOnlyAt = (path: string): boolean => {
    const mount = mountOf(path, mounts);
    return mount !== undefined && isReadOnly(mount);
  };
  const logDir = `${dirname(config.stateDir)}/log`;
  // Nix takes an empty variable for none (getEnvNonEmpty in src/libutil/environment-variables.cc).
  const confDir = env['NIX_CONF_DIR'] || '/etc/nix';
  const userConfDir = `${(env['XDG_CONFIG_DIRS'] || '/etc/xdg').split(':')[0]}/nix`;
  const daemon = {
    path: findCommand(config['daemon.command'], env['PATH']),
    socket: env['NIX_DAEMON_SOCKET_PATH'] || `${config.stateDir}/daemon-socket/socket`,
  };
  const socketMount = mountOf(daemon.socket, mounts)?.target;
  let version: string | null | undefined;
  let host: HostFacts | undefined;
  let lowerStore: LowerStoreFacts | undefined;
  const leftovers = findLeftovers(mounts, config);
  // What a killed boot left mounted hides them.
  const image = leftovers.includes(runLayout.lowerState)
    ? { state: runLayout.lowerState, store: runLayout.lowerStore }
    : { state: config.stateDir, store: config.storeDir };
  let nix: Facts['nix'] | undefined;
  let writable: Writable | undefined;
  return {
    root: process.geteuid?.() === 0,
    sysAdmin: hasSysAdmin(status),
    credentials: parseCredentials(status),
    userNamespace: readInUserNamespace(),
    volume: probeVolume(config.cacheDir, mounts),
    leftovers,
    storeDir: isDirectory(config.storeDir),
    stateDir: isDirectory(config.stateDir),
    lowers: config.lowers.map((store) => ({
      store,
      there: isDirectory(store),
      database: existsSync(databaseFile(stateBeside(store))),
    })),
    stateReadOnly: readOnlyAt(config.stateDir),
    logDir: isDirectory(logDir) ? logDir : undefined,
    // A tmpfs that a killed boot left there is going to be unmounted.
    runReadOnly: leftovers.includes(runDir) || readOnlyAt(runDir),
    nixConf: {
      dir: confDir,
      // A copy that a killed boot left over it hides why it was made: a link is in the way of a mount.
      kind: leftovers.includes(confDir) ? 'symlink' : nixConfKind(confDir),
      readOnly: readOnlyAt(confDir),
      variable: env['NIX_CONFIG'],
    },
    daemon,
    get nix() {
      nix ??= { nix: findCommand('nix', env['PATH']), nixStore: findCommand('nix-store', env['PATH']) };
      return nix;
    },
    get writable() {
      writable ??= lookForWritable(config, confDir, mounts);
      return writable;
    },
    socketMounted: socketMount === daemon.socket || socketMount === dirname(daemon.socket),
    get host() {
      if (lookAtHost === undefined) throw new RangeError('the facts were not gathered for strategy host');
      host ??= lookAtHost({ ...config, socket: daemon.socket, mounts, env });
      return host;
    },
    get nixVersion() {
      // One that does not say takes its time, and is asked once.
      if (version === undefined) version = nixVersion(daemon.path);
      return version;
    },
    get imageDatabase() {
      return lookAtDatabase(databaseFile(image.state));
    },
    get storeLinks() {
      return isDirectory(`${image.store}/.links`);
    },
    get lowerStore() {
      lowerStore ??= lookAtLowerStore?.(config);
      return lowerStore;
    },
    userConfDir,
    markedConfs: findMarkedConfs([confDir, userConfDir], mounts),
    get userConfFiles() {
      return userConfFiles(env);
    },
  };
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function nixConfKind(dir: string): Facts['nixConf']['kind'] {
  const stat = lstatSync(`${dir}/nix.conf`, { throwIfNoEntry: false });
  if (stat !== undefined) return stat.isSymbolicLink() ? 'symlink' : 'file';
  return isDirectory(dir) ? 'missing' : 'no directory';
}

function lookAtDatabase(path: string): Facts['imageDatabase'] {
  const size = (suffix: string): number | undefined =>
    statSync(path + suffix, { throwIfNoEntry: false })?.size;
  if ((size('') ?? 0) === 0) return 'missing';
  return (size('-wal') ?? 0) > 0 ? 'unwritten' : 'whole';
}
