import { contains } from '../linux/paths.ts';
import { volumeLayout } from './layout.ts';

export type PrefixPlaces = {
  /** What the names of paths begin with, and where they are: the same, or the store is one for a chroot. */
  storeDir: string;
  realStoreDir: string;
  stateDir: string;
  logDir: string;
  /** Whose nix.conf has our settings, for Nix to read as one of the user's. */
  confDir: string;
  /** Of which store a state directory is. */
  stores: string;
  /** Roots in project directories that may be absent at a boot. */
  indirectRoots: string;
  /** For what Nix keeps in `~/.cache/nix` and `~/.local/state/nix`: it names paths of one store. */
  cacheHome: string;
  stateHome: string;
};

type Wanted = { cacheDir: string; storeDir: string; stateDir: string };

/**
 * Where the `prefix` strategy has everything. A directory that is configured inside of the volume is what it says; any other,
 * and one where the volume has something else, is below `root/`, so that it meets neither the image's nor an overlay's.
 */
export function prefixPlaces({ cacheDir, storeDir, stateDir }: Wanted): PrefixPlaces {
  const { root, upper, work, own, prefix } = volumeLayout(cacheDir);
  const taken = [upper, work, own, prefix, `${cacheDir}/var`];
  const place = (dir: string): string =>
    dir !== root &&
    contains(root, dir) &&
    !taken.some((other) => contains(other, dir) || contains(dir, other))
      ? dir
      : `${prefix}${dir}`;
  return {
    storeDir,
    realStoreDir: place(storeDir),
    stateDir: place(stateDir),
    logDir: `${prefix}/nix/var/log/nix`,
    confDir: prefix,
    stores: `${prefix}/stores.json`,
    indirectRoots: `${prefix}/indirect-roots.json`,
    cacheHome: `${prefix}/cache`,
    stateHome: `${prefix}/state`,
  };
}

/** Whether the store is one for a chroot: its paths are not where their names say. */
export const isChroot = ({ storeDir, realStoreDir }: PrefixPlaces): boolean => storeDir !== realStoreDir;

/** As Nix decodes a parameter of a URI; a slash need not be encoded there. */
const encode = (path: string): string => encodeURIComponent(path).replaceAll('%2F', '/');

/** The store for Nix, every directory by name: its own rules for `root` know no store but /nix/store. */
export function storeUri({ storeDir, realStoreDir, stateDir, logDir, confDir }: PrefixPlaces): string {
  const parameters = {
    ...(storeDir === realStoreDir ? {} : { root: confDir }),
    store: storeDir,
    real: realStoreDir,
    state: stateDir,
    log: logDir,
  };
  return `local?${Object.entries(parameters)
    .map(([name, path]) => `${name}=${encode(path)}`)
    .join('&')}`;
}

/** An environment for Nix's programs in which they find the store: a shell of `docker exec` need not know it. */
export function storeEnvironment(
  config: Wanted & { strategy: string },
  env: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  return config.strategy === 'prefix' ? { ...env, ...storeVariables(prefixPlaces(config)) } : env;
}

/** What every Nix has to be told for this store and no other. */
export function storeVariables(places: PrefixPlaces): Record<string, string> {
  return {
    NIX_REMOTE: storeUri(places),
    NIX_STORE_DIR: places.storeDir,
    NIX_STATE_DIR: places.stateDir,
    NIX_LOG_DIR: places.logDir,
    NIX_CACHE_HOME: places.cacheHome,
    NIX_STATE_HOME: places.stateHome,
  };
}
