import { existsSync, readdirSync, realpathSync, statfsSync, statSync } from 'node:fs';
import type { Config } from '../../config/keys.ts';
import { systemErrno } from '../../errors.ts';
import { type MountInfo, mountOf } from '../../linux/mountinfo.ts';
import { databaseFile } from '../../state/database.ts';
import type { Facts } from '../../store/facts.ts';
import { mountOptions, xattrsOf } from '../../store/overlay-parts.ts';
import { runLayout } from '../../store/run-layout.ts';
import { verifyManifest } from '../../store/steps/verify.ts';
import { volumeLayout } from '../../volume/layout.ts';
import type { Room } from '../room.ts';
import type { VolumeState } from '../volume.ts';
import { tryFeatures } from './features.ts';
import { notTried, type Trial, tryMounting } from './mounting.ts';
import { refusalOf } from './refusal.ts';
import { inScratch } from './scratch.ts';

export type VolumeProbe = { state: VolumeState | undefined; trial: Trial };

/** Looks at the volume, and where it can be written tries what it can do; and whether mounting is allowed, volume or not. */
export async function probeVolume(
  facts: Facts,
  config: Config,
  mounts: readonly MountInfo[],
  signal: AbortSignal,
): Promise<VolumeProbe> {
  const { volume } = facts;
  const mount = (layers?: string): Trial => (facts.sysAdmin ? tryOverlay(facts, config, layers) : notTried);
  if (volume.kind !== 'directory') return { state: undefined, trial: mount() };
  const cacheDir = realpathSync(config.cacheDir);
  const layout = volumeLayout(cacheDir);
  // An overlay is refused as it is.
  const touchable = !volume.readOnly && volume.fileSystem !== 'overlay' && config.access === 'read-write';
  const { tried, trial } = touchable
    ? await tryVolume(layout.probe, mount, signal)
    : { tried: undefined, trial: mount() };
  const state: VolumeState = {
    room: lookAtRoom(cacheDir),
    manifest: refusalOf(() =>
      verifyManifest({ do: 'verify', manifest: layout.manifest, xattrs: xattrsOf(facts) }),
    ),
    together: areTogether(layout.upper, layout.work, mounts),
    seeded: existsSync(databaseFile(layout.state)),
    seedBytes: sizeOf(`${config.stateDir}/db`),
    tried,
  };
  return { state, trial };
}

/** In two directories of their own, one after the other: what was tried in the one would lie around in the other. */
async function tryVolume(
  path: string,
  mount: (layers: string) => Trial,
  signal: AbortSignal,
): Promise<{ tried: VolumeState['tried']; trial: Trial }> {
  let tried: VolumeState['tried'];
  try {
    tried = await inScratch(path, signal, () => tryFeatures(path));
  } catch (error) {
    const refused = systemErrno(error);
    if (refused === undefined) throw error;
    return { tried: { refused }, trial: notTried };
  }
  return { tried, trial: await inScratch(path, signal, () => mount(path)) };
}

function tryOverlay(facts: Facts, { storeDir, stateDir }: Config, layers: string | undefined): Trial {
  return tryMounting({
    // Nothing that is asked of lies below it.
    scratch: facts.stateDir ? stateDir : '/proc',
    layers,
    // Where our own store is mounted already, it would be one overlay too many on top of each other.
    lower: [runLayout.lowerStore, storeDir].find(isFilled),
    options: mountOptions(xattrsOf(facts)),
  });
}

const isFilled = (path: string): boolean => existsSync(path) && readdirSync(path).length > 0;

function lookAtRoom(path: string): Room {
  const { bavail, blocks, bsize, ffree, files } = statfsSync(path);
  return {
    // ramfs does not say, btrfs has as many inodes as there is space.
    bytes: blocks === 0 ? undefined : { free: bavail * bsize, total: blocks * bsize },
    inodes: files === 0 ? undefined : { free: ffree, total: files },
  };
}

/** Overlayfs wants both on one mount, not merely on one file system. */
function areTogether(upper: string, work: string, mounts: readonly MountInfo[]): boolean {
  if (!existsSync(upper) || !existsSync(work)) return true;
  return mountOf(upper, mounts)?.id === mountOf(work, mounts)?.id;
}

function sizeOf(directory: string): number {
  if (!existsSync(directory)) return 0;
  const sizes = readdirSync(directory).map(
    (name) => statSync(`${directory}/${name}`, { throwIfNoEntry: false })?.size ?? 0,
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
