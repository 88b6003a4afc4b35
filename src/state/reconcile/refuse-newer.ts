import { Exit, InitError } from '../../errors.ts';
import type { Manifest } from '../../volume/manifest.ts';
import { databaseSchemas } from '../identity.ts';

/** @throws {InitError} 78 when this image's Nix would not open the volume's database. */
export function refuseNewer(
  { imageStateDir, stateDir }: { imageStateDir: string; stateDir: string },
  manifest: Manifest | undefined,
): void {
  const volume = databaseSchemas(stateDir);
  const own = databaseSchemas(imageStateDir);
  for (const kind of ['schema', 'ca'] as const) {
    const [theirs, ours] = [volume[kind], own[kind]];
    if (theirs === null || ours === null || theirs <= ours) continue;
    const writer = manifest?.nix == null ? 'a newer Nix' : `Nix ${manifest.nix}`;
    const name = kind === 'ca' ? 'ca-schema' : 'schema';
    throw new InitError({
      stage: 'reconcile',
      what: `the volume's Nix database, last used with ${writer}, is of ${name} ${theirs}; this image's Nix knows ${ours}`,
      errno: 'EINVAL',
      remedy: 'use an image with that Nix or a newer one, or another volume',
      exitCode: Exit.config,
    });
  }
}
