import type { Config } from '../config/keys.ts';
import { Exit, type InitError } from '../errors.ts';
import type { Facts } from '../store/facts.ts';
import { xattrsOf } from '../store/overlay-parts.ts';
import type { Step } from '../store/plan.ts';
import { explain } from '../store/steps/explain.ts';
import { volumeLayout } from '../volume/layout.ts';
import { type Finding, fault, fine, newVolume, obstacle } from './check.ts';
import { type Features, featureChecks, isFull } from './features.ts';
import type { Trial } from './probe/mounting.ts';
import { type Room, roomChecks } from './room.ts';

/** What is known of the volume beyond the facts of a boot. */
export type VolumeState = {
  room: Room;
  /** Null: it can be read, or there is none yet. */
  manifest: InitError | null;
  /** Whether `upper` and `workdir`, as far as they are there, can be layers of one overlay. */
  together: boolean;
  /** Whether a state is there already. */
  seeded: boolean;
  /** What seeding it would take. */
  seedBytes: number;
  /** What was tried; undefined where nothing is to be written, an errno where it could not be. */
  tried: Features | { refused: string } | undefined;
};

/** Everything about the volume; little of it where there is none. */
export function volumeChecks(
  facts: Facts,
  config: Config,
  state: VolumeState | undefined,
  trial: Trial,
): Finding[] {
  const place = placeCheck(facts, config);
  if (state === undefined) return [place];
  const { tried } = state;
  return [
    place,
    accessCheck(facts, config, tried),
    ...(tried === undefined || 'refused' in tried
      ? []
      : featureChecks(tried, {
          xattrs: xattrsOf(facts),
          sysAdmin: facts.sysAdmin,
          cacheDir: config.cacheDir,
        })),
    ...upperChecks(facts, config, trial),
    layersCheck(state, config),
    ...roomChecks(state, config),
    manifestCheck(state),
  ];
}

function placeCheck({ volume }: Facts, { cacheDir }: Config): Finding {
  const needed = 'a volume that is no overlay';
  const remedy = `docker run -v cache:${cacheDir}`;
  if (volume.kind !== 'directory') return fault('volume', `${cacheDir}: ${volume.kind}`, needed, remedy);
  const { mounted, fileSystem } = volume;
  if (!mounted) return fault('volume', `${cacheDir} is no mount, on ${fileSystem}`, needed, remedy);
  if (fileSystem === 'overlay') return fault('volume', `${cacheDir} on overlay`, needed, newVolume(cacheDir));
  return fine('volume', `${cacheDir} on ${fileSystem}`, needed);
}

function accessCheck({ volume }: Facts, { cacheDir, access }: Config, tried: VolumeState['tried']): Finding {
  const needed = access === 'read-only' ? 'readable' : 'writable';
  if (volume.kind === 'directory' && volume.readOnly) {
    if (access === 'read-only') return fine('access', 'read-only', needed);
    return fault('access', 'read-only', needed, 'docker run -e NIX_CACHE_INIT_ACCESS=read-only');
  }
  // What is full says so in a row of its own.
  if (tried === undefined || !('refused' in tried) || isFull(tried.refused))
    return fine('access', 'writable', needed);
  const { refused } = tried;
  const denied = refused === 'EACCES' || refused === 'EPERM';
  const remedy = denied ? 'docker run --user root' : newVolume(cacheDir);
  return obstacle(fault('access', `cannot be written to: ${refused}`, needed, remedy), ['seed'], {
    stage: 'lock',
    what: `${cacheDir} cannot be written to`,
    errno: refused,
    exitCode: denied ? Exit.privilege : Exit.io,
  });
}

/** What the kernel says of an overlay like ours, put in the words that a boot has for it. */
function upperChecks(facts: Facts, { cacheDir, storeDir }: Config, { overlay, mounting }: Trial): Finding[] {
  // Neither asked, nor a second row for what the first one says.
  if (overlay === undefined || mounting !== null || !facts.sysAdmin || overlay === 'ENODEV') return [];
  if (overlay !== null && isFull(overlay)) return [];
  const needed = 'the kernel takes it';
  if (overlay === null) return [fine('upper layer', 'mounted', needed)];
  const { upper, work } = volumeLayout(cacheDir);
  const step: Step = { do: 'overlay', target: storeDir, lower: [storeDir], upper, work, options: [] };
  const { stage, what, errno, exitCode } = explain(
    Object.assign(new Error(overlay), { code: overlay }),
    step,
  );
  const finding = fault('upper layer', overlay, needed, newVolume(cacheDir));
  return [obstacle(finding, ['overlay'], { stage, what, errno, exitCode })];
}

function layersCheck({ together }: VolumeState, { cacheDir }: Config): Finding {
  const needed = 'upper and workdir in one';
  if (together) return fine('layers', 'one mount', needed);
  const finding = fault('layers', 'two mounts', needed, newVolume(cacheDir));
  return obstacle(finding, ['overlay'], {
    stage: 'mount',
    what: `upper and workdir of ${cacheDir} are on different mounts`,
    errno: 'EXDEV',
    exitCode: Exit.io,
  });
}

function manifestCheck({ manifest }: VolumeState): Finding {
  const needed = 'whole, and of this version';
  if (manifest === null) return fine('manifest', 'can be used, or made', needed);
  const { stage, what, errno, remedy, exitCode } = manifest;
  return obstacle(fault('manifest', what, needed, remedy), ['verify'], { stage, what, errno, exitCode });
}
