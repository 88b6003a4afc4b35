import { accessSync, constants, lstatSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../config/keys.ts';
import { toInitError } from '../errors.ts';
import { hasSysAdmin, readInUserNamespace } from '../linux/capabilities.ts';
import { findCommand } from '../linux/commands.ts';
import { type Credentials, parseCredentials } from '../linux/credentials.ts';
import { isReadOnly, type MountInfo, mountOf, readMountInfo } from '../linux/mountinfo.ts';
import { nixVersion } from '../state/nix-version.ts';
import { probeVolume, type VolumeFacts } from '../volume/probe.ts';
import { findLeftovers } from './leftovers.ts';
import { runDir } from './run-layout.ts';

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
  /** What the daemon says of its version, such as `2.34.1`; asked when somebody wants to know: it takes a process. */
  readonly nixVersion: string | null;
};

/** What we may write to as we are. */
export type Writable = {
  /** The store and its state. */
  store: boolean;
  volume: boolean;
  /** nix.conf, in a directory that is the container's own: what is mounted there is somebody else's. */
  nixConf: boolean;
  /** The user's settings for all users of the container (XDG base directory specification). */
  userConfDir: string;
};

/** @throws {InitError} when /proc cannot be read, which knows most of them. */
export function gatherFacts(config: Config, env: NodeJS.ProcessEnv): Facts {
  try {
    return look(config, env);
  } catch (error) {
    throw toInitError(error, 'facts', 'cannot look at /proc and the volume');
  }
}

function look(config: Config, env: NodeJS.ProcessEnv): Facts {
  const status = readFileSync('/proc/self/status', 'latin1');
  const mounts = readMountInfo();
  const readOnlyAt = (path: string): boolean => {
    const mount = mountOf(path, mounts);
    return mount !== undefined && isReadOnly(mount);
  };
  const logDir = `${dirname(config.stateDir)}/log`;
  // Nix takes an empty variable for none (getEnvNonEmpty in src/libutil/environment-variables.cc).
  const confDir = env['NIX_CONF_DIR'] || '/etc/nix';
  const daemon = {
    path: findCommand(config['daemon.command'], env['PATH']),
    socket: env['NIX_DAEMON_SOCKET_PATH'] || `${config.stateDir}/daemon-socket/socket`,
  };
  let version: string | null | undefined;
  let nix: Facts['nix'] | undefined;
  let writable: Writable | undefined;
  return {
    root: process.geteuid?.() === 0,
    sysAdmin: hasSysAdmin(status),
    credentials: parseCredentials(status),
    userNamespace: readInUserNamespace(),
    volume: probeVolume(config.cacheDir, mounts),
    leftovers: findLeftovers(mounts, config),
    storeDir: isDirectory(config.storeDir),
    stateDir: isDirectory(config.stateDir),
    stateReadOnly: readOnlyAt(config.stateDir),
    logDir: isDirectory(logDir) ? logDir : undefined,
    runReadOnly: readOnlyAt(runDir),
    nixConf: {
      dir: confDir,
      kind: nixConfKind(confDir),
      readOnly: readOnlyAt(confDir),
      variable: env['NIX_CONFIG'],
    },
    daemon,
    get nix() {
      nix ??= { nix: findCommand('nix', env['PATH']), nixStore: findCommand('nix-store', env['PATH']) };
      return nix;
    },
    get writable() {
      writable ??= lookForWritable({ config, confDir, mounts, env });
      return writable;
    },
    get nixVersion() {
      version ??= nixVersion(daemon.path);
      return version;
    },
  };
}

type WritableRequest = {
  config: Config;
  confDir: string;
  mounts: readonly MountInfo[];
  env: NodeJS.ProcessEnv;
};

function lookForWritable({ config, confDir, mounts, env }: WritableRequest): Writable {
  const { storeDir, stateDir, cacheDir } = config;
  const own =
    mountOf(confDir, mounts)?.target === '/' && mountOf(`${confDir}/nix.conf`, mounts)?.target === '/';
  return {
    store: [storeDir, stateDir].every(isWritable),
    volume: isWritable(cacheDir),
    nixConf: own && isWritable(confDir),
    userConfDir: `${(env['XDG_CONFIG_DIRS'] || '/etc/xdg').split(':')[0]}/nix`,
  };
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function nixConfKind(dir: string): Facts['nixConf']['kind'] {
  const stat = lstatSync(`${dir}/nix.conf`, { throwIfNoEntry: false });
  if (stat !== undefined) return stat.isSymbolicLink() ? 'symlink' : 'file';
  return isDirectory(dir) ? 'missing' : 'no directory';
}
