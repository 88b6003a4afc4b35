import assert from 'node:assert/strict';
import type { KillPoint } from '../harness/injection.ts';
import type { ImageName } from '../harness/nixMachine.ts';
import { changedRows, missingCopies } from './checks.ts';
import { exactly, faultsOf } from './expectation.ts';
import { describe, type Ground } from './ground.ts';
import type { Model } from './model.ts';
import { type Row, type Rows, wholeRows } from './rows.ts';

export type Container = { image: ImageName; project: boolean };
export type Ending = 'SIGTERM' | 'SIGKILL';

/** Boots a container of an image; everything has to be as the model says before anyone does anything. */
export async function boot(model: Model, ground: Ground, container: Container): Promise<void> {
  await ground.boot(container.image, container.project);
  const where = `after a boot of ${container.image}`;
  const observed = ground.rows();
  const { rows } = model.image(container.image);
  const expected = model.afterBoot(container.image);
  for (const path of model.mayWait(container.image)) if (!observed.has(path)) expected.valid.delete(path);
  const found = await foundAgain(ground, { expected: expected.valid, observed });
  const cached = new Map([...expected.cached, ...found]);
  const valid = new Map([...expected.valid, ...found]);
  const { paths, whiteouts } = ground.upper();
  assert.deepEqual(
    [
      ...faultsOf(new Set(observed.keys()), exactly(valid.keys())),
      ...changedRows(valid, observed, rows),
      ...missingCopies(cached, ground),
      ...[...valid.keys()].filter((path) => !ground.isThere(path)).map((path) => `not on disk: ${path}`),
      ...whiteouts.map((path) => `a whiteout in upper/: ${path}`),
      ...[...rows.keys()].filter((path) => paths.has(path)).map((path) => `in both layers: ${path}`),
    ],
    [],
    where,
  );
  model.container = container;
  model.running = true;
  model.booted(container.image, { valid: observed, cached });
  model.roots.looked(container.project);
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
  if (signal === 'SIGKILL') return;
  assert.equal(outcome.exitCode, 143, describe(outcome));
  model.roots.looked(model.container.project);
}

/** A boot whose init is killed at some call: the rows are those before or those after, and no copy is lost. */
export async function killedBoot(
  model: Model,
  ground: Ground,
  { image, project }: Container,
  point: KillPoint,
): Promise<void> {
  const after = model.afterBoot(image);
  const mayWait = model.mayWait(image);
  const outcome = await ground.killedBoot(image, project, point);
  const observed = ground.rows();
  const { paths } = ground.upper();
  const sure = (rows: Rows): string[] =>
    [...rows.keys()].filter((path) => !mayWait.has(path) && (model.cached.has(path) || !paths.has(path)));
  const [old, updated] = [model.valid, after.valid].map((rows) =>
    faultsOf(new Set(sure(observed)), exactly(sure(rows))),
  );
  assert.deepEqual(
    [...(old?.length === 0 ? [] : (updated ?? [])), ...missingCopies(after.cached, ground)],
    [],
    `${outcome} at call ${point.n} of ${point.call} in a boot of ${image}`,
  );
  model.container = { image, project };
  model.valid = observed;
  model.onlyCopies(paths);
  if (outcome === 'killed') return;
  model.booted(image, { valid: model.valid, cached: model.cached });
  model.roots.looked(project);
}

/**
 * What the model had given up: names in upper/ of which it cannot know whether they are whole copies, as of an image path
 * that `--optimise` has copied up, or after a collection that was killed. They may be valid if they are.
 */
async function foundAgain(
  ground: Ground,
  { expected, observed }: { expected: Rows; observed: Rows },
): Promise<Map<string, Row>> {
  const { paths } = ground.upper();
  const surplus = [...observed].filter(([path]) => !expected.has(path) && paths.has(path));
  const found = wholeRows(new Map(surplus), expected);
  if (found.size === 0) return found;
  const outcome = await ground.script(`nix-store --verify-path ${[...found.keys()].join(' ')}`);
  assert.equal(outcome.exitCode, 0, `valid, but not whole: ${describe(outcome)}`);
  return found;
}
