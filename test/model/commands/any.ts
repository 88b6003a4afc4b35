import fc, { type Arbitrary } from 'fast-check';
import { imageNames } from '../../harness/nixMachine.ts';
import type { KillPoint } from '../ground.ts';
import type { Container, Ending } from '../session.ts';
import { AddRoot } from './addRoot.ts';
import { Build } from './build.ts';
import { Collect } from './collect.ts';
import type { Command } from './command.ts';
import { DeleteImagePath } from './deleteImagePath.ts';
import { KillBoot } from './killBoot.ts';
import { Optimise } from './optimise.ts';
import { RemoveRoot } from './removeRoot.ts';
import { SwitchTo } from './switchTo.ts';

/** What a boot changes something by. */
const bootCalls = [
  ...['mkdir', 'rename', 'unlink', 'symlink', 'link', 'rmdir', 'fsync', 'fdatasync', 'ftruncate'],
  ...['write', 'pwrite64', 'copy_file_range', 'mount', 'umount2', 'utimensat', 'flock', 'fcntl'],
];
/** The same of Nix. */
const nixCalls = ['rename', 'unlink', 'unlinkat', 'mkdir', 'link', 'pwrite64', 'write', 'fchmodat'];

const choice = fc.nat(1000);
const point = (calls: string[]): Arbitrary<KillPoint> =>
  fc.record({ call: fc.constantFrom(...calls), n: fc.integer({ min: 1, max: 40 }) });
/** Mostly not killed; shrinks to that. */
const maybeKilled = fc.option(point(nixCalls), { nil: undefined, freq: 3 });
const container: Arbitrary<Container> = fc.record({
  image: fc.constantFrom(...imageNames),
  project: fc.boolean().map((absent) => !absent),
});
const ending: Arbitrary<Ending> = fc.constantFrom('SIGTERM', 'SIGKILL');

/** Any operation on a volume; one that is listed twice comes twice as often. */
export function anyCommand(packages: readonly string[]): Arbitrary<Command>[] {
  const name = fc.constantFrom(...packages);
  const kind = fc.constantFrom('profile' as const, 'direct' as const, 'project' as const);
  const build = fc.tuple(name, maybeKilled).map((args) => new Build(...args));
  const switchTo = fc.tuple(container, ending).map((args) => new SwitchTo(...args));
  const killBoot = fc.tuple(container, ending, point(bootCalls)).map((args) => new KillBoot(...args));
  return [
    ...[build, build, switchTo, switchTo, killBoot, killBoot],
    fc.tuple(kind, name).map((args) => new AddRoot(...args)),
    choice.map((n) => new RemoveRoot(n)),
    maybeKilled.map((kill) => new Collect(kill)),
    choice.map((n) => new DeleteImagePath(n)),
    maybeKilled.map((kill) => new Optimise(kill)),
  ];
}
