import type { Facts } from './facts.ts';
import type { Step, StrategyName } from './plan.ts';
import { runDir, runLayout } from './run-layout.ts';

/** In what a strategy that lays the volume over the image differs from another. */
export type Variation = {
  strategy: StrategyName;
  /** Lines of nix.conf that come before the user's own. */
  settings?: Record<string, string>;
  /** What is to be done to the image's store before that is bound aside, where nobody may write. */
  before?: Step[];
  /** Store directories of another daemon, below the image's and all `lowers`, of which nobody tells when they change. */
  below?: string[];
};

/** In which attributes overlayfs keeps its marks; a user namespace may not write those of the other kind. */
export const xattrsOf = ({ userNamespace }: Facts): 'trusted' | 'user' =>
  userNamespace ? 'user' : 'trusted';

/**
 * With these a lower layer may change while nothing is mounted: what an image upgrade is (overlayfs.rst, "Changes to
 * underlying filesystems"). index=on answers such a change with ESTALE. redirect_dir=off still follows redirects where
 * the kernel is built so, which userxattr does not allow.
 */
export function mountOptions(xattrs: 'trusted' | 'user'): string[] {
  const redirect = xattrs === 'user' ? ['redirect_dir=nofollow', 'userxattr'] : ['redirect_dir=off'];
  return ['index=off', 'metacopy=off', ...redirect, 'xino=off', 'nfs_export=off'];
}

/** In memory: no whiteout can be made in the container's own layer, an overlay. */
export function maskBelow(below: string[]): Step[] {
  if (below.length === 0) return [];
  const { scratch, mask, lowerStore } = runLayout;
  return [
    { do: 'mkdir', path: scratch, mode: 0o755 },
    { do: 'tmpfs', target: scratch, options: 'mode=755' },
    { do: 'mkdir', path: mask, mode: 0o755 },
    { do: 'mask', of: lowerStore, below, target: mask },
  ];
}

/** What an earlier boot left mounted here. */
export function unmountLeftovers({ leftovers }: Facts): Step[] {
  return leftovers.length > 0 ? [{ do: 'unmount', targets: leftovers, claim: runLayout.claim }] : [];
}

/** For as long as something of ours is mounted. */
export const claimMounts: Step = {
  do: 'lock',
  of: 'mounts',
  path: runLayout.claim,
  waitMs: 0,
  orRead: false,
};

/** The image's store and state, aside before the overlay hides them. */
export function bindAside(facts: Facts, storeDir: string, stateDir: string): Step[] {
  return [
    ...runDirectory(facts, [runLayout.lowerStore, runLayout.lowerState]),
    claimMounts,
    { do: 'mkdir', path: stateDir, mode: 0o755 },
    { do: 'bind', source: storeDir, target: runLayout.lowerStore, readOnly: true },
    { do: 'bind', source: stateDir, target: runLayout.lowerState, readOnly: true },
  ];
}

/** `/run/nix-cache-init` is a plain directory, or a tmpfs where the root file system is read-only. */
export function runDirectory(facts: Facts, directories: string[]): Step[] {
  const tmpfs: Step = { do: 'tmpfs', target: runDir, options: 'mode=755' };
  return [
    ...(facts.runReadOnly ? [tmpfs] : [{ do: 'mkdir', path: runDir, mode: 0o755 } as const]),
    ...directories.map((path): Step => ({ do: 'mkdir', path, mode: 0o755 })),
  ];
}

/**
 * The state over the image's, and build directories (in the state directory since Nix 2.30) off the volume:
 * in the container's own layer where that can be written, else in memory.
 */
export function mountState(facts: Facts, state: string, stateDir: string): Step[] {
  const builds = `${stateDir}/builds`;
  const inState = `${state}/builds`;
  const overState: Step = { do: 'bind', source: state, target: stateDir, readOnly: false };
  if (facts.stateReadOnly) {
    return [
      { do: 'mkdir', path: inState, mode: 0o755 },
      overState,
      { do: 'tmpfs', target: builds, options: 'mode=755' },
    ];
  }
  const aside = runLayout.builds;
  return [
    { do: 'mkdir', path: builds, mode: 0o755 },
    { do: 'mkdir', path: aside, mode: 0o755 },
    { do: 'bind', source: builds, target: aside, readOnly: false },
    { do: 'mkdir', path: inState, mode: 0o755 },
    overState,
    { do: 'bind', source: aside, target: builds, readOnly: false },
  ];
}

/** Nix cannot build where it cannot write the log. */
export function buildLogs({ stateReadOnly, logDir }: Facts, log: string): Step[] {
  if (!stateReadOnly || logDir === undefined) return [];
  return [
    { do: 'mkdir', path: log, mode: 0o755 },
    { do: 'bind', source: log, target: logDir, readOnly: false },
  ];
}

/** Settings that an overlay wants: optimising would replace files of the image by hard links, each a copy on the volume. */
export const overlaySettings = { 'auto-optimise-store': 'false' };

/** @param settings lines that come before the user's own, which win. */
export function nixConf(
  { nixConf: { dir, kind, readOnly } }: Facts,
  settings: Record<string, string> = overlaySettings,
): Step[] {
  // A symlink cannot be mounted over: the mount would land on the store path that it leads to.
  const over = kind === 'symlink' || (kind === 'missing' && readOnly) ? 'directory' : 'file';
  if (kind === 'no directory' && readOnly) return [];
  return [
    {
      do: 'nix-conf',
      dir,
      over,
      create: kind === 'missing' || kind === 'no directory',
      generated: runLayout.nixConf,
      settings,
    },
  ];
}
