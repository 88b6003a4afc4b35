import type { Config } from '../config/keys.ts';
import { Exit } from '../errors.ts';
import { contains } from '../linux/paths.ts';
import type { VolumeFacts } from '../volume/probe.ts';
import type { Facts } from './facts.ts';
import type { Unsupported } from './strategy.ts';

/** What a fact says against a strategy. */
export const fault = (what: string, errno: string, remedy: string): Unsupported => ({
  stage: 'facts',
  what,
  errno,
  remedy,
  exitCode: Exit.config,
});

/** What is wrong with a volume, with what most often mends it. */
export const volumeFault = (cacheDir: string, what: string, errno: string): Unsupported =>
  fault(what, errno, `docker run -v cache:${cacheDir}`);

export const nothingMounted = (cacheDir: string): Unsupported =>
  volumeFault(cacheDir, `nothing is mounted at ${cacheDir}`, 'EINVAL');

/** There is no directory to be a volume. */
export function volumeMissing({ kind }: VolumeFacts, { cacheDir }: Config): Unsupported | undefined {
  if (kind === 'missing') return volumeFault(cacheDir, `${cacheDir} does not exist`, 'ENOENT');
  if (kind === 'not a directory') return volumeFault(cacheDir, `${cacheDir} is not a directory`, 'ENOTDIR');
  return undefined;
}

/** It is in the way, or cannot be written to. */
export function volumeUnusable(
  volume: VolumeFacts,
  { cacheDir, storeDir, stateDir, access }: Config,
): Unsupported | undefined {
  if ([storeDir, stateDir].some((dir) => contains(cacheDir, dir) || contains(dir, cacheDir))) {
    return {
      ...volumeFault(cacheDir, `${cacheDir} overlaps ${storeDir} or ${stateDir}`, 'EINVAL'),
      remedy: 'set cacheDir elsewhere',
    };
  }
  if (volume.kind === 'directory' && volume.readOnly && access === 'read-write') {
    return {
      ...volumeFault(cacheDir, `${cacheDir} is mounted read-only`, 'EROFS'),
      remedy: 'mount the volume read-write, or set access=read-only',
      exitCode: Exit.io,
    };
  }
  return undefined;
}

/** There is no store to keep anything of. */
export function storeUnfit(facts: Facts, { storeDir }: Config): Unsupported | undefined {
  if (facts.storeDir) return undefined;
  return {
    stage: 'facts',
    what: `${storeDir} does not exist`,
    errno: 'ENOENT',
    remedy: `install Nix into the image, or mkdir -p ${storeDir}`,
    exitCode: Exit.config,
  };
}
