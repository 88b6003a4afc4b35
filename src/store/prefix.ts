import type { Config } from '../config/keys.ts';
import { Exit } from '../errors.ts';
import { contains } from '../linux/paths.ts';
import { isBefore } from '../state/nix-version.ts';
import { perBootParts } from '../state/parts.ts';
import { volumeLayout } from '../volume/layout.ts';
import {
  isChroot,
  type PrefixPlaces,
  prefixPlaces,
  storeUri,
  storeVariables,
} from '../volume/prefix-layout.ts';
import type { Facts } from './facts.ts';
import { lockVolume } from './lock-volume.ts';
import type { Step } from './plan.ts';
import type { Strategy, Unsupported } from './strategy.ts';
import { volumeFault, volumeMissing } from './unfit.ts';

/**
 * A store of the volume's own beside the image's: nothing is mounted, no privilege is needed. Single-user Nix, which the
 * main command runs itself: a daemon would be one more process with the same rights.
 */
export const prefix: Strategy = { name: 'prefix', unsupported, plan, daemon: () => 'none' };

function unsupported(facts: Facts, config: Config): Unsupported | undefined {
  return volumeMissing(facts.volume, config) ?? volumeUnfit(facts, config) ?? configUnfit(config);
}

function volumeUnfit({ volume, writable, credentials }: Facts, config: Config): Unsupported | undefined {
  const { cacheDir } = config;
  if (volume.kind === 'directory' && volume.readOnly) {
    const remedy = 'mount the volume read-write';
    return {
      ...volumeFault(config.cacheDir, `${cacheDir} is mounted read-only`, 'EROFS'),
      remedy,
      exitCode: Exit.io,
    };
  }
  if (writable.volume) return undefined;
  const [uid] = credentials.uids;
  return {
    ...volumeFault(config.cacheDir, `user ${uid} cannot write to ${cacheDir}`, 'EACCES'),
    remedy: `docker run --user root -v cache:${cacheDir} --entrypoint chown IMAGE ${uid} ${cacheDir}`,
    exitCode: Exit.privilege,
  };
}

function configUnfit(config: Config): Unsupported | undefined {
  const { access, user, cacheDir } = config;
  const { realStoreDir, stateDir } = prefixPlaces(config);
  if (access === 'read-only') {
    return {
      ...volumeFault(config.cacheDir, 'Nix cannot use a store of its own that it must not write to', 'EROFS'),
      remedy: 'set access=read-write, or strategy=overlay',
    };
  }
  if (user !== undefined) {
    return {
      ...volumeFault(config.cacheDir, `the store would not be that of user ${user}, but of init's`, 'EACCES'),
      remedy: `leave the key user out: docker run --user ${user}`,
    };
  }
  if (cacheDir === '/' || contains(realStoreDir, stateDir) || contains(stateDir, realStoreDir)) {
    return {
      ...volumeFault(config.cacheDir, `${cacheDir}, ${realStoreDir} and ${stateDir} overlap`, 'EINVAL'),
      remedy: 'set cacheDir, storeDir or stateDir elsewhere',
    };
  }
  return undefined;
}

function plan(facts: Facts, config: Config): Step[] {
  const { manifest, probe, prefix: root } = volumeLayout(config.cacheDir);
  const places = prefixPlaces(config);
  const settings = settingsFor(facts, places);
  const everywhere = facts.writable.nixConf;
  return [
    // Nix would let two in; but its temporary roots go by PID, which containers have in common.
    ...lockVolume(config, { reads: false }),
    { do: 'manifest', path: manifest, strategy: 'prefix' },
    { do: 'mkdir', path: root, mode: 0o755 },
    {
      do: 'claim-state',
      record: places.stores,
      storeDir: places.storeDir,
      stateDir: places.stateDir,
      cacheDir: config.cacheDir,
    },
    { do: 'clear', paths: perBootParts.map((part) => `${places.stateDir}/${part}`), idle: [probe] },
    { do: 'nix-conf', dir: places.confDir, over: 'in place', settings },
    ...(everywhere ? [{ do: 'nix-conf', dir: facts.nixConf.dir, over: 'in place', settings } as const] : []),
    {
      do: 'environment',
      variables: variablesFor(facts, places),
      ...(everywhere ? {} : { announce: true }),
    },
    {
      do: 'roots',
      state: places.stateDir,
      stateDir: places.stateDir,
      storeDir: places.storeDir,
      record: places.indirectRoots,
    },
  ];
}

/** What shells of `docker exec` need, too. The user's own lines win. */
function settingsFor({ root }: Facts, places: PrefixPlaces): Record<string, string> {
  return {
    store: storeUri(places),
    // Builders would write to the image's store, or fail there.
    ...(isChroot(places) ? { 'sandbox-fallback': 'false' } : {}),
    // To become somebody else takes capabilities.
    ...(root ? { 'build-users-group': '' } : {}),
  };
}

/** The first version that knows NIX_CACHE_HOME and its like. */
const OWN_HOMES = [2, 25] as const;

function variablesFor({ nixVersion, userConfFiles }: Facts, places: PrefixPlaces): Record<string, string> {
  return {
    ...storeVariables(places),
    // Others read it, too, so only where Nix does not know the one of its own.
    ...(isBefore(nixVersion, OWN_HOMES) ? { XDG_CACHE_HOME: places.cacheHome } : {}),
    NIX_USER_CONF_FILES: [...userConfFiles, `${places.confDir}/nix.conf`].join(':'),
  };
}

/** Something that does not work with this strategy, by the nature of it. */
export type PrefixLimit = { what: string; because: string; instead: string };

/** What does not work with a store at these places, for people who ask what to expect. */
export function prefixLimits(config: Pick<Config, 'cacheDir' | 'storeDir' | 'stateDir'>): PrefixLimit[] {
  const { cacheDir, storeDir } = config;
  return [
    ...(isChroot(prefixPlaces(config)) ? chrootLimits : storeDir === '/nix/store' ? [] : [otherPrefix]),
    ...(contains(cacheDir, productDir) ? [overProduct] : []),
  ];
}

const elsewhere =
  'a prefix on the volume: docker run -v cache:/opt/nix, cacheDir=/opt/nix, storeDir=/opt/nix/store';

const chrootLimits: PrefixLimit[] = [
  {
    what: 'building without user namespaces',
    because: 'a builder must see the store at its name, which takes a mount namespace',
    instead: `docker run --security-opt seccomp=unconfined --security-opt systempaths=unconfined; or ${elsewhere}`,
  },
  {
    what: 'running programs of the store by their path',
    because: 'what they need is at another place than its name',
    instead: `nix run or nix shell, where user namespaces are allowed; or ${elsewhere}`,
  },
  {
    what: 'nix develop',
    because: 'its shell runs outside of the chroot (NixOS/nix#5024)',
    instead: `nix shell, where user namespaces are allowed; or ${elsewhere}`,
  },
];

const otherPrefix: PrefixLimit = {
  what: 'binary caches of /nix/store',
  because: 'the prefix is part of every hash, and of what is in the paths',
  instead: 'a cache that was filled from the same prefix (nix copy --to); or a volume mounted at /nix',
};

/** Where the product has itself in every image (DESIGN §3). */
const productDir = '/opt/nix-cache-init';

const overProduct: PrefixLimit = {
  what: 'upgrading nix-cache-init with the image',
  because: `a volume over ${productDir} hides it, but a new one of Docker's gets a copy that stays`,
  instead: elsewhere,
};
