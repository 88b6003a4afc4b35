import { existsSync, lstatSync, opendirSync, readlinkSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Config } from '../config/keys.ts';
import { isReadOnly, type MountInfo, mountOf } from '../linux/mountinfo.ts';
import { type DaemonHello, HELLO_MS, helloDaemon, type NoDaemon } from '../nix/hello.ts';
import { isStorePathName } from '../state/reconcile/layers.ts';

/** What of another machine's Nix can be seen here. */
export type HostFacts = {
  /** Whether the store lies on a mount, and which kind; if not, it is the image's own. */
  mounted: 'no' | 'read-only' | 'writable';
  daemon: DaemonHello | NoDaemon;
  /** Of how many paths that are in the store the daemon was asked. */
  asked: number;
  /** Whether the socket itself is mounted, not its directory: a daemon that makes it anew is out of reach then. */
  socketAlone: boolean;
  /** Programs of the image, or directories of such, that lead into its own store, which a mount hides. */
  lost: string[];
  /** What NIX_REMOTE says to everything in the container. */
  remote: string | undefined;
};

export type HostPlaces = Pick<Config, 'storeDir'> & {
  socket: string;
  mounts: readonly MountInfo[];
  env: NodeJS.ProcessEnv;
};

/** Enough to meet a valid one among what killed builds left. */
const MOST_ASKED = 32;

/** As many links as the kernel follows (path_resolution(7)). */
const MOST_HOPS = 40;

/** Looks at the store and talks with the daemon: for a second at most. */
export function lookAtHost({ storeDir, socket, mounts, env }: HostPlaces): HostFacts {
  const mount = mountOf(storeDir, mounts);
  const paths = somePaths(storeDir);
  return {
    mounted:
      mount === undefined || mount.target === '/' ? 'no' : isReadOnly(mount) ? 'read-only' : 'writable',
    daemon: helloDaemon(socket, HELLO_MS, paths),
    asked: paths.length,
    socketAlone: mountOf(socket, mounts)?.target === socket,
    lost: ['/bin/sh', ...(env['PATH'] ?? '').split(':')].filter((path) => isLost(path, storeDir)),
    remote: env['NIX_REMOTE'],
  };
}

/** The first that the directory has: a host's store may have very many. */
function somePaths(storeDir: string): string[] {
  if (statSync(storeDir, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  const paths: string[] = [];
  using directory = opendirSync(storeDir);
  for (let entry = directory.readSync(); entry && paths.length < MOST_ASKED; entry = directory.readSync()) {
    if (isStorePathName(entry.name) && !entry.name.endsWith('.lock')) paths.push(`${storeDir}/${entry.name}`);
  }
  return paths;
}

/** Whether a path leads to something in the store that is not there. */
function isLost(path: string, storeDir: string): boolean {
  let at = path;
  for (let hops = 0; hops < MOST_HOPS && at.startsWith('/'); hops += 1) {
    if (at.startsWith(`${storeDir}/`)) return !existsSync(at);
    const link = firstLink(at);
    if (link === undefined) return false;
    at = resolve(dirname(link), readlinkSync(link)) + at.slice(link.length);
  }
  return false;
}

function firstLink(path: string): string | undefined {
  const parts = path.split('/');
  return parts
    .map((_, index) => parts.slice(0, index + 1).join('/'))
    .find((prefix) => lstatSync(prefix, { throwIfNoEntry: false })?.isSymbolicLink());
}
