import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { nixSchema } from '../test/harness/nixSchema.ts';

/** What nearly all commands load, besides. Init itself only once: it takes hold of what a process has. */
const plan = ['nix-cache-init', 'plan', '--strategy', 'overlay', '--json'];

const command = ['--', process.execPath, '--version'];

/** Changes nothing: no volume, no privilege (taking one away needs src/native), no daemon. */
export const anywhere: readonly string[][] = [
  ['/init', '--strategy=none', '--log-level=debug', '--capabilities=keep', '--daemon-enabled=no', ...command],
  plan,
];

/** A boot on a small image and volume, where tools/warm-ground.sh has made place for them. */
export function bootThatMounts(ground: string): readonly string[][] {
  const file = join(ground, 'state/db/db.sqlite');
  if (!existsSync(file)) {
    using database = new DatabaseSync(file);
    database.exec(nixSchema);
    // A root to nowhere is looked at in every boot.
    symlinkSync(join(ground, 'result'), join(ground, 'state/gcroots/auto/result'));
    writeFileSync(join(ground, 'etc/nix.conf'), 'sandbox = false\n');
  }
  // What the builder has there is not to be seen.
  process.env['NIX_CONF_DIR'] = join(ground, 'etc');
  process.env['XDG_CONFIG_DIRS'] = join(ground, 'xdg');
  const places = [
    `--cache-dir=${ground}/volume`,
    `--store-dir=${ground}/store`,
    `--state-dir=${ground}/state`,
  ];
  // Anything that runs until it is told to end is started and stopped as nix-daemon is.
  const daemon = ['--daemon-enabled=yes', '--daemon-command=sleep', '--daemon-args=["1000"]'];
  return [
    [
      '/init',
      '--strategy=overlay',
      '--log-level=debug',
      '--on-unsupported=fail',
      ...places,
      ...daemon,
      ...command,
    ],
    plan,
  ];
}
