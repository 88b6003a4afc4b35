import type { Config } from '../config/keys.ts';
import { Exit } from '../errors.ts';
import type { Facts } from './facts.ts';
import type { Unsupported } from './strategy.ts';

/** What every strategy that keeps something on the volume says of one that is none. */
export function volumeFault(
  { cacheDir }: Pick<Config, 'cacheDir'>,
  what: string,
  errno: string,
): Unsupported {
  return { stage: 'facts', what, errno, remedy: `docker run -v cache:${cacheDir}`, exitCode: Exit.config };
}

/** Why there is no volume; undefined when there is a directory. */
export function noVolume({ volume }: Facts, config: Config): Unsupported | undefined {
  const { cacheDir } = config;
  if (volume.kind === 'missing') return volumeFault(config, `${cacheDir} does not exist`, 'ENOENT');
  if (volume.kind === 'not a directory')
    return volumeFault(config, `${cacheDir} is not a directory`, 'ENOTDIR');
  return undefined;
}
