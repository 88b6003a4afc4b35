import { type Container, startIdle } from './container.ts';
import type { Volume } from './volume.ts';

export type ReaderOptions = { image?: string; flags?: string[] };

/** A container that only reads a volume, and could not do otherwise. */
export function startReader({ name }: Volume, { image, flags = [] }: ReaderOptions = {}): Promise<Container> {
  return startIdle({
    ...(image === undefined ? {} : { image }),
    flags: ['-v', `${name}:/nix-cache:ro`, ...flags],
    env: { NIX_CACHE_INIT_ACCESS: 'read-only', NIX_CACHE_INIT_ON_UNSUPPORTED: 'fail' },
  });
}

/** All that a write to the volume would change: names, inodes, sizes, times, contents. */
export async function everythingOn(volume: Volume): Promise<string> {
  const script = `cd /nix-cache; find . -printf '%p %y %i %s %m %U:%G %T@ %C@ %l\\n' | sort
    find . -type f -print0 | sort -z | xargs -0 sha256sum`;
  const { exitCode, stdout, stderr } = await volume.shell(script);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
}
