import fc, { type Arbitrary } from 'fast-check';
import type { KillPoint } from '../../harness/injection.ts';
import { imageNames } from '../../harness/nixMachine.ts';
import type { Calls } from '../calls.ts';
import type { Ground } from '../ground.ts';
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

const choice = fc.nat(1000);
/** Every kind of call is as likely as another, however many there are of it. */
const pointOf = (calls: Calls): Arbitrary<KillPoint> =>
  fc
    .constantFrom(...calls)
    .chain(([call, most]) => fc.record({ call: fc.constant(call), n: fc.integer({ min: 1, max: most }) }));
const container: Arbitrary<Container> = fc.record({
  image: fc.constantFrom(...imageNames),
  project: fc.boolean().map((absent) => !absent),
});
const ending: Arbitrary<Ending> = fc.constantFrom('SIGTERM', 'SIGKILL');

/** Any operation on a volume; one that is listed twice comes twice as often. */
export function anyCommand({ universe, calls }: Ground): Arbitrary<Command>[] {
  const packages = [...universe.packages.keys()];
  // Mostly not killed; shrinks to that.
  const maybeKilled = fc.oneof(
    { withCrossShrink: true },
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 2, arbitrary: pointOf(calls.nix) },
  );
  const name = fc.constantFrom(...packages);
  const kind = fc.constantFrom('profile' as const, 'direct' as const, 'project' as const);
  const build = fc.tuple(name, maybeKilled).map((args) => new Build(...args));
  const switchTo = fc.tuple(container, ending).map((args) => new SwitchTo(...args));
  const killBoot = fc
    .tuple(container, ending, pointOf(calls.boot), fc.boolean())
    .map((args) => new KillBoot(...args));
  const addRoot = fc.tuple(kind, name).map((args) => new AddRoot(...args));
  const collect = maybeKilled.map((kill) => new Collect(kill));
  return [
    ...[build, build, switchTo, switchTo, killBoot, killBoot, addRoot, addRoot, collect, collect],
    choice.map((n) => new RemoveRoot(n)),
    choice.map((n) => new DeleteImagePath(n)),
    maybeKilled.map((kill) => new Optimise(kill)),
  ];
}
