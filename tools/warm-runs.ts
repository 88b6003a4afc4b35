import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { nixSchema } from '../test/harness/nixSchema.ts';

/** What nearly all commands load, besides. Init itself only once: it takes hold of what a process has. */
const plan = ['nix-cache-init', 'plan', '--strategy', 'overlay', '--json'];

const command = ['--daemon-enabled=no', '--', process.execPath, '--version'];

/** Changes nothing: no volume, no privilege (taking one away needs src/native), no daemon. */
export const anywhere: readonly string[][] = [
  ['/init', '--strategy=none', '--capabilities=keep', ...command],
  plan,
];

/** A boot on a small image and volume, where tools/warm-ground.sh has made place for them. */
export function bootThatMounts(ground: string): readonly string[][] {
  const file = join(ground, 'state/db/db.sqlite');
  if (!existsSync(file)) {
    using database = new DatabaseSync(file);
    database.exec(nixSchema);
  }
  // What the builder has there is not to be seen.
  for (const name of ['NIX_CONF_DIR', 'XDG_CONFIG_DIRS']) process.env[name] = join(ground, 'etc');
  const places = [
    `--cache-dir=${ground}/volume`,
    `--store-dir=${ground}/store`,
    `--state-dir=${ground}/state`,
  ];
  return [['/init', '--strategy=overlay', '--on-unsupported=fail', ...places, ...command], plan];
}
