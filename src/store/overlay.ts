import type { Config } from '../config/keys.ts';
import { Exit } from '../errors.ts';
import { perBootParts } from '../state/parts.ts';
import { volumeLayout } from '../volume/layout.ts';
import { type Facts, runDir } from './facts.ts';
import type { Step } from './plan.ts';
import type { Strategy, Unsupported } from './strategy.ts';

/** New paths land in `upper/` on the volume; the image store lies below, untouched. One merged Nix database. */
export const overlay: Strategy = { name: 'overlay', unsupported, plan };

function unsupported(facts: Facts, config: Config): Unsupported | undefined {
  return volumeUnfit(facts, config) ?? storeUnfit(facts, config) ?? privilegeMissing(facts);
}

function volumeUnfit({ volume }: Facts, { cacheDir, storeDir, stateDir }: Config): Unsupported | undefined {
  const fault = (what: string, errno: string): Unsupported => ({
    stage: 'facts',
    what,
    errno,
    remedy: `docker run -v cache:${cacheDir}`,
    exitCode: Exit.config,
  });
  if (volume.kind === 'missing') return fault(`${cacheDir} does not exist`, 'ENOENT');
  if (volume.kind === 'not a directory') return fault(`${cacheDir} is not a directory`, 'ENOTDIR');
  if (volume.fileSystem === 'overlay') {
    return volume.mounted
      ? fault(`${cacheDir} is on overlayfs, which cannot be an upper layer`, 'EINVAL')
      : fault(`nothing is mounted at ${cacheDir}`, 'EINVAL');
  }
  if ([storeDir, stateDir].some((dir) => contains(cacheDir, dir) || contains(dir, cacheDir))) {
    return {
      ...fault(`${cacheDir} overlaps ${storeDir} or ${stateDir}`, 'EINVAL'),
      remedy: 'set cacheDir elsewhere',
    };
  }
  if (volume.readOnly) {
    return {
      ...fault(`${cacheDir} is mounted read-only`, 'EROFS'),
      remedy: 'mount the volume read-write',
      exitCode: Exit.io,
    };
  }
  return undefined;
}

const contains = (outer: string, inner: string): boolean =>
  outer === '/' || inner === outer || inner.startsWith(`${outer}/`);

function storeUnfit(facts: Facts, { storeDir }: Config): Unsupported | undefined {
  if (facts.storeDir) return undefined;
  return {
    stage: 'facts',
    what: `${storeDir} does not exist`,
    errno: 'ENOENT',
    remedy: `install Nix into the image, or mkdir -p ${storeDir}`,
    exitCode: Exit.config,
  };
}

function privilegeMissing({ sysAdmin, root }: Facts): Unsupported | undefined {
  if (sysAdmin) return undefined;
  return {
    stage: 'mount',
    what: 'mounting an overlay needs CAP_SYS_ADMIN',
    errno: 'EPERM',
    // A user who is not root has none of the capabilities that are added.
    remedy: `docker run ${root ? '' : '--user root '}--cap-add SYS_ADMIN --security-opt apparmor=unconfined`,
    exitCode: Exit.privilege,
  };
}

/**
 * With these a lower layer may change while nothing is mounted: what an image upgrade is (overlayfs.rst, "Changes to
 * underlying filesystems"). index=on answers such a change with ESTALE. redirect_dir=off still follows redirects where
 * the kernel is built so, which userxattr does not allow.
 */
function mountOptions(xattrs: 'trusted' | 'user'): string[] {
  const redirect = xattrs === 'user' ? ['redirect_dir=nofollow', 'userxattr'] : ['redirect_dir=off'];
  return ['index=off', 'metacopy=off', ...redirect, 'xino=off', 'nfs_export=off'];
}

function plan(facts: Facts, config: Config): Step[] {
  const { cacheDir, storeDir, stateDir } = config;
  const volume = volumeLayout(cacheDir);
  const lower = { store: `${runDir}/lower/store`, state: `${runDir}/lower/state` };
  const builds = `${stateDir}/builds`;
  const xattrs = facts.userNamespace ? 'user' : 'trusted';
  return [
    { do: 'mkdir', path: volume.own, mode: 0o755 },
    { do: 'lock', path: volume.lock, waitMs: config.onLocked === 'wait' ? config.lockTimeout : 0 },
    ...(facts.leftovers.length > 0 ? [{ do: 'unmount', targets: facts.leftovers } as const] : []),
    { do: 'verify', manifest: volume.manifest, xattrs },
    // /nix/store takes owner and mode from the upper directory once that covers it.
    { do: 'mkdir', path: volume.upper, mode: 0o755, like: storeDir },
    { do: 'mkdir', path: volume.work, mode: 0o700 },
    ...runDirectory(facts, [lower.store, lower.state]),
    { do: 'mkdir', path: stateDir, mode: 0o755 },
    // Aside before the overlay hides them.
    { do: 'bind', source: storeDir, target: lower.store, readOnly: true },
    { do: 'bind', source: stateDir, target: lower.state, readOnly: true },
    {
      do: 'seed',
      from: lower.state,
      to: volume.state,
      staging: volume.staging,
      trash: volume.trash,
      manifest: volume.manifest,
    },
    {
      do: 'reconcile',
      image: { storeDir: lower.store, stateDir: lower.state },
      storeDir,
      nixStateDir: stateDir,
      stateDir: volume.state,
      upper: volume.upper,
      files: {
        manifest: volume.manifest,
        remembered: volume.remembered,
        swept: volume.swept,
        imageCopy: volume.imageCopy,
        superseded: volume.superseded,
        imageLinks: volume.imageLinks,
      },
      strategy: 'overlay',
      xattrs,
      nix: facts.daemon.path,
    },
    { do: 'clear', paths: perBootParts.map((part) => `${volume.state}/${part}`) },
    // While the image's own file can still be read: a link into the store may lead to a path that was collected.
    ...nixConf(facts),
    {
      do: 'overlay',
      target: storeDir,
      lower: [lower.store],
      upper: volume.upper,
      work: volume.work,
      options: mountOptions(xattrs),
    },
    ...scratch(facts, builds, volume.state, stateDir),
    ...buildLogs(facts, volume.log),
    // After what a boot cannot do without: on a full volume there may be space for that alone.
    { do: 'roots', state: volume.state, stateDir, storeDir, record: volume.indirectRoots },
  ];
}

/** `/run/nix-cache-init` is a plain directory, or a tmpfs where the root file system is read-only. */
function runDirectory(facts: Facts, directories: string[]): Step[] {
  const tmpfs: Step = { do: 'tmpfs', target: runDir, options: 'mode=755' };
  return [
    ...(facts.runReadOnly ? [tmpfs] : [{ do: 'mkdir', path: runDir, mode: 0o755 } as const]),
    ...directories.map((path): Step => ({ do: 'mkdir', path, mode: 0o755 })),
  ];
}

/**
 * The volume's state over the image's, and build directories (in the state directory since Nix 2.30) off the volume:
 * in the container's own layer where that can be written, else in memory.
 */
function scratch(facts: Facts, builds: string, state: string, stateDir: string): Step[] {
  const inState = `${state}/builds`;
  const overState: Step = { do: 'bind', source: state, target: stateDir, readOnly: false };
  if (facts.stateReadOnly) {
    return [
      { do: 'mkdir', path: inState, mode: 0o755 },
      overState,
      { do: 'tmpfs', target: builds, options: 'mode=755' },
    ];
  }
  const aside = `${runDir}/builds`;
  return [
    { do: 'mkdir', path: builds, mode: 0o755 },
    { do: 'mkdir', path: aside, mode: 0o755 },
    { do: 'bind', source: builds, target: aside, readOnly: false },
    { do: 'mkdir', path: inState, mode: 0o755 },
    overState,
    { do: 'bind', source: aside, target: builds, readOnly: false },
  ];
}

/** Nix cannot build where it cannot write the log; `nix log` of a read-only container goes to the volume. */
function buildLogs({ stateReadOnly, logDir }: Facts, log: string): Step[] {
  if (!stateReadOnly || logDir === undefined) return [];
  return [
    { do: 'mkdir', path: log, mode: 0o755 },
    { do: 'bind', source: log, target: logDir, readOnly: false },
  ];
}

function nixConf({ nixConf: { dir, kind, readOnly } }: Facts): Step[] {
  const generated = `${runDir}/nix.conf`;
  // A symlink cannot be mounted over: the mount would land on the store path that it leads to.
  const over = kind === 'symlink' || (kind === 'missing' && readOnly) ? 'directory' : 'file';
  if (kind === 'no directory' && readOnly) return [];
  return [{ do: 'nix-conf', dir, over, create: kind === 'missing' || kind === 'no directory', generated }];
}
