import assert from 'node:assert/strict';
import { basename } from 'node:path';
import type { ImageName } from '../harness/nixMachine.ts';
import { changedRows, missingCopies } from './checks.ts';
import { exactly, faultsOf } from './expectation.ts';
import { describe, type Ground, type KillPoint } from './ground.ts';
import type { Model } from './model.ts';
import { type Row, type Rows, wholeRows, without } from './rows.ts';

export type Container = { image: ImageName; project: boolean };
export type Ending = 'SIGTERM' | 'SIGKILL';

/** Boots a container of an image; everything has to be as the model says before anyone does anything. */
export async function boot(model: Model, ground: Ground, container: Container): Promise<void> {
  await ground.boot(container.image, container.project);
  const where = `after a boot of ${container.image}`;
  const observed = ground.rows();
  const { rows } = model.image(container.image);
  const expected = model.afterBoot(container.image);
  const found = await foundAgain(model, ground, { expected: expected.valid, observed });
  const cached = new Map([...expected.cached, ...found]);
  const valid = new Map([...expected.valid, ...found]);
  const { names, whiteouts } = ground.upper();
  assert.deepEqual(
    [
      ...faultsOf(new Set(observed.keys()), exactly(valid.keys())),
      ...changedRows(valid, observed),
      ...missingCopies(cached, ground),
      ...[...valid.keys()].filter((path) => !ground.isThere(path)).map((path) => `not on disk: ${path}`),
      ...whiteouts.map((name) => `a whiteout in upper/: ${name}`),
      ...[...rows.keys()]
        .filter((path) => names.has(basename(path)))
        .map((path) => `in both layers: ${path}`),
    ],
    [],
    where,
  );
  model.container = container;
  model.running = true;
  model.valid = observed;
  model.cached = cached;
  model.roots.looked(container.project);
  for (const path of model.image().linked) model.linked.add(path);
}

/** Boots the last container once more, if nothing runs. */
export async function ensureRunning(model: Model, ground: Ground): Promise<void> {
  if (!model.running) await boot(model, ground, model.container);
}

/** Ends the container, if one runs. */
export async function end(model: Model, ground: Ground, signal: Ending): Promise<void> {
  if (!model.running) return;
  const outcome = await ground.end(signal);
  model.running = false;
  assert.equal(outcome.exitCode, signal === 'SIGTERM' ? 143 : 137, describe(outcome));
  if (signal === 'SIGTERM') model.roots.looked(model.container.project);
}

/** A boot whose init is killed at some call: whole rows, each before or after the one transaction, and whole copies. */
export async function killedBoot(
  model: Model,
  ground: Ground,
  { image, project }: Container,
  point: KillPoint,
): Promise<void> {
  const expected = model.afterKilledBoot(image);
  const removed = model.removedBy(image);
  const survivors = without(model.afterBoot(image).cached, model.image(image).rows);
  const outcome = await ground.killedBoot(image, project, point);
  const observed = ground.rows();
  const gone = removed.filter((path) => !observed.has(path));
  assert.deepEqual(
    [
      ...faultsOf(new Set(observed.keys()), expected),
      ...changedRows(survivors, observed),
      ...missingCopies(survivors, ground),
      ...(gone.length === 0 || gone.length === removed.length ? [] : [`only some rows are gone: ${gone}`]),
    ],
    [],
    `${outcome} at call ${point.n} of ${point.call} in a boot of ${image}`,
  );
  model.container = { image, project };
  const { names } = ground.upper();
  model.settleKilledBoot(observed, { has: (path) => names.has(basename(path)) });
  if (outcome === 'completed') model.roots.looked(project);
}

/**
 * What the model had given up: copies in upper/ of which nobody can know whether they are whole, as of an image path
 * that `--optimise` has copied up. Nix may know them if they are.
 */
async function foundAgain(
  model: Model,
  ground: Ground,
  { expected, observed }: { expected: Rows; observed: Rows },
): Promise<Map<string, Row>> {
  const { names } = ground.upper();
  const surplus = [...observed].filter(
    ([path]) => !expected.has(path) && model.valid.has(path) && names.has(basename(path)),
  );
  const found = wholeRows(new Map(surplus), expected);
  if (found.size === 0) return found;
  const outcome = await ground.script(`nix-store --verify-path ${[...found.keys()].join(' ')}`);
  assert.equal(outcome.exitCode, 0, `valid, but not whole: ${describe(outcome)}`);
  return found;
}
