import type { Config } from '../config/keys.ts';
import { volumeLayout } from '../volume/layout.ts';
import type { Facts } from './facts.ts';
import { bindLowers, layersBelow, lowersOf } from './overlay-lowers.ts';
import {
  bindAside,
  buildLogs,
  mountOptions,
  mountState,
  nixConf,
  unmountLeftovers,
  type Variation,
  xattrsOf,
} from './overlay-parts.ts';
import type { Step } from './plan.ts';
import { runLayout } from './run-layout.ts';

/**
 * For a container that only reads the volume, beside others that read and one that writes: the volume's `upper/` is its lowest
 * layer, what it makes itself goes with it, and so does its state, a copy. It takes no lock on the volume: a writer that
 * starts must not be refused because somebody reads.
 */
export function readerSteps(facts: Facts, config: Config, { settings, before = [] }: Variation): Step[] {
  const { cacheDir, storeDir, stateDir } = config;
  const volume = volumeLayout(cacheDir);
  const xattrs = xattrsOf(facts);
  const { scratch, upper, work, mask, masks, state, snapshot } = runLayout;
  const lowers = lowersOf(config, { masks, combined: `${snapshot}/combined` });
  return [
    ...unmountLeftovers(facts),
    { do: 'verify', manifest: volume.manifest, xattrs },
    ...before,
    ...bindAside(facts, storeDir, stateDir),
    { do: 'mkdir', path: scratch, mode: 0o755 },
    { do: 'tmpfs', target: scratch, options: 'mode=755' },
    { do: 'mkdir', path: upper, mode: 0o755, like: storeDir },
    { do: 'mkdir', path: work, mode: 0o700 },
    { do: 'mkdir', path: mask, mode: 0o755 },
    ...bindLowers(facts, { masks }),
    {
      do: 'snapshot',
      from: volume.state,
      upper: volume.upper,
      to: state,
      image: { storeDir: runLayout.lowerStore, stateDir: runLayout.lowerState },
      ...lowers,
      xattrs,
      storeDir,
      nixStateDir: stateDir,
      files: {
        manifest: volume.manifest,
        remembered: volume.remembered,
        imageLinks: volume.imageLinks,
      },
      scratch: snapshot,
      mask,
      standIns: upper,
    },
    ...nixConf(facts, settings),
    {
      do: 'overlay',
      target: storeDir,
      // The image wins; what it has in common with the volume is masked there, or overlayfs would show the two merged.
      lower: [runLayout.lowerStore, ...layersBelow(lowers), mask, ...(hasUpper(facts) ? [volume.upper] : [])],
      upper,
      work,
      options: mountOptions(xattrs),
    },
    { do: 'bind-each', names: upper, source: volume.upper, target: storeDir },
    ...mountState(facts, state, stateDir),
    ...buildLogs(facts, runLayout.log),
  ];
}

const hasUpper = ({ volume }: Facts): boolean => volume.kind === 'directory' && volume.hasUpper;
