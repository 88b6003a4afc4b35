import type { Config } from '../config/keys.ts';
import { Exit } from '../errors.ts';
import { perBootParts } from '../state/parts.ts';
import { volumeLayout } from '../volume/layout.ts';
import type { VolumeFacts } from '../volume/probe.ts';
import type { Facts } from './facts.ts';
import { lockVolume } from './lock-volume.ts';
import { bindLowers, layersBelow, lowersOf, lowersUnfit } from './overlay-lowers.ts';
import {
  bindAside,
  buildLogs,
  maskBelow,
  mountOptions,
  mountState,
  nixConf,
  unmountLeftovers,
  type Variation,
  xattrsOf,
} from './overlay-parts.ts';
import { readerSteps } from './overlay-reader.ts';
import type { Step } from './plan.ts';
import { runLayout } from './run-layout.ts';
import { overlayOptions } from './steps/overlay.ts';
import type { Strategy, Unsupported } from './strategy.ts';
import { nothingMounted, storeUnfit, volumeFault, volumeMissing, volumeUnusable } from './unfit.ts';

/** New paths land in `upper/` on the volume; the image store lies below, untouched. One merged Nix database. */
export const overlay: Strategy = { name: 'overlay', unsupported, plan };

function unsupported(facts: Facts, config: Config): Unsupported | undefined {
  return layersUnfit(facts, config, plan);
}

/** Why the volume cannot be laid over the image so. */
export function layersUnfit(facts: Facts, config: Config, steps: Strategy['plan']): Unsupported | undefined {
  return (
    volumeUnfit(facts, config) ??
    storeUnfit(facts, config) ??
    lowersUnfit(facts, config) ??
    privilegeMissing(facts) ??
    optionsTooLong(steps(facts, config), config)
  );
}

/** The kernel takes a page of options, and cuts off what is longer without a word (mount(2)). */
const MOST_OPTION_BYTES = 4095;

function optionsTooLong(steps: readonly Step[], { lowerStore }: Config): Unsupported | undefined {
  const lengths = steps.flatMap((step) =>
    step.do === 'overlay' ? [Buffer.byteLength(overlayOptions(step))] : [],
  );
  const length = Math.max(...lengths);
  if (length <= MOST_OPTION_BYTES) return undefined;
  return {
    stage: 'facts',
    what: `the overlay would need ${length} bytes of options, of which the kernel takes ${MOST_OPTION_BYTES}`,
    errno: 'E2BIG',
    remedy: `${lowerStore === undefined ? 'set fewer lowers' : 'mount the lower store at a shorter path'}, or a shorter cacheDir`,
    exitCode: Exit.config,
  };
}

function volumeUnfit({ volume }: Facts, config: Config): Unsupported | undefined {
  return volumeMissing(volume, config) ?? volumeOnOverlay(volume, config) ?? volumeUnusable(volume, config);
}

function volumeOnOverlay(volume: VolumeFacts, { cacheDir }: Config): Unsupported | undefined {
  if (volume.kind !== 'directory' || volume.fileSystem !== 'overlay') return undefined;
  return volume.mounted
    ? volumeFault(cacheDir, `${cacheDir} is on overlayfs, which cannot be an upper layer`, 'EINVAL')
    : nothingMounted(cacheDir);
}

/** What keeps any strategy that mounts from working. */
export function privilegeMissing({ sysAdmin, root }: Facts): Unsupported | undefined {
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

function plan(facts: Facts, config: Config): Step[] {
  return overlaySteps(facts, config, { strategy: 'overlay' });
}

/** What makes the store and the state, for each strategy that lays the volume over the image. */
export function overlaySteps(facts: Facts, config: Config, variation: Variation): Step[] {
  return config.access === 'read-only'
    ? readerSteps(facts, config, variation)
    : writerSteps(facts, config, variation);
}

function writerSteps(facts: Facts, config: Config, variation: Variation): Step[] {
  const { cacheDir, storeDir, stateDir } = config;
  const volume = volumeLayout(cacheDir);
  const xattrs = xattrsOf(facts);
  const { strategy, settings, before = [], below = [] } = variation;
  const lowers = lowersOf(config, volume);
  return [
    ...lockVolume(config),
    ...unmountLeftovers(facts),
    { do: 'verify', manifest: volume.manifest, xattrs },
    // /nix/store takes owner and mode from the upper directory once that covers it.
    { do: 'mkdir', path: volume.upper, mode: 0o755, like: storeDir },
    { do: 'mkdir', path: volume.work, mode: 0o700 },
    { do: 'try-xattrs', path: volume.work, xattrs, manifest: volume.manifest },
    ...before,
    ...bindAside(facts, storeDir, stateDir),
    ...bindLowers(facts, volume),
    {
      do: 'seed',
      from: runLayout.lowerState,
      to: volume.state,
      staging: volume.staging,
      trash: volume.trash,
      manifest: volume.manifest,
    },
    {
      do: 'reconcile',
      image: { storeDir: runLayout.lowerStore, stateDir: runLayout.lowerState },
      ...lowers,
      storeDir,
      nixStateDir: stateDir,
      stateDir: volume.state,
      upper: volume.upper,
      below,
      files: {
        manifest: volume.manifest,
        remembered: volume.remembered,
        swept: volume.swept,
        imageCopy: volume.imageCopy,
        superseded: volume.superseded,
        imageLinks: volume.imageLinks,
      },
      strategy,
      xattrs,
      nix: facts.daemon.path,
    },
    { do: 'clear', paths: perBootParts.map((part) => `${volume.state}/${part}`), idle: [volume.probe] },
    // While the image's own file can still be read: a link into the store may lead to a path that was collected.
    ...nixConf(facts, settings),
    ...maskBelow(below),
    {
      do: 'overlay',
      target: storeDir,
      lower: [
        runLayout.lowerStore,
        ...layersBelow(lowers),
        ...(below.length > 0 ? [runLayout.mask, ...below] : []),
      ],
      upper: volume.upper,
      work: volume.work,
      options: mountOptions(xattrs),
    },
    ...mountState(facts, volume.state, stateDir),
    ...buildLogs(facts, volume.log),
    // After what a boot cannot do without: on a full volume there may be space for that alone.
    { do: 'roots', state: volume.state, stateDir, storeDir, record: volume.indirectRoots },
  ];
}
