import assert from 'node:assert/strict';
import { type Expectation, faultsOf } from './expectation.ts';
import { describe, type Ground } from './ground.ts';
import type { Model } from './model.ts';
import type { Row, Rows } from './rows.ts';
import type { Universe } from './universe.ts';

/**
 * After an operation in the container: what must be valid is, unchanged, and has its copy.
 * @param touched of what is not valid, that of which the operation may have left anything.
 */
export function checkOperation(
  model: Model,
  ground: Ground,
  expected: Expectation,
  operation: string,
  touched: ReadonlySet<string> = new Set(),
): void {
  const observed = ground.rows();
  const made = new Map([...observed].filter(([path]) => !model.valid.has(path)));
  const faults = [
    ...faultsOf(new Set(observed.keys()), expected),
    ...changedRows(model.valid, observed),
    ...misdescribed(made, model.universe),
  ];
  model.settle(observed, touched);
  assert.deepEqual([...faults, ...missingCopies(model.cached, ground)], [], operation);
}

/**
 * Kept rows are what they were, to the last column.
 * @param dateless those for which it is no difference when they were registered: the image's, of which a path may be in
 * another image too.
 */
export function changedRows(before: Rows, observed: Rows, dateless: Rows = new Map()): string[] {
  return [...before].flatMap(([path, row]) => {
    const dated = !dateless.has(path);
    const [was, is] = [row, observed.get(path) ?? row].map((found) => text(found, dated));
    return was === is ? [] : [`row of ${path}: ${is} instead of ${was}`];
  });
}

function misdescribed(made: Rows, { paths }: Universe): string[] {
  return [...made].flatMap(([path, { references, deriver }]) => {
    const known = paths.get(path);
    if (known === undefined) return [`nobody could have made ${path}`];
    const right = known.deriver === deriver && known.references.join() === references.join();
    return right ? [] : [`${path} refers to ${references} and is derived from ${deriver}`];
  });
}

/** The volume's own paths are in upper/, whole or not at all. */
export function missingCopies(cached: Rows, ground: Ground): string[] {
  const { paths } = ground.upper();
  return [...cached.keys()].filter((path) => !paths.has(path)).map((path) => `no copy in upper/: ${path}`);
}

/** Nix itself finds every path of the running container there, with the contents that its row tells. */
export async function checkContents(ground: Ground, operation: string): Promise<void> {
  const outcome = await ground.script('nix-store --verify --check-contents');
  assert.equal(outcome.exitCode, 0, `${operation}: ${describe(outcome)}`);
  assert.doesNotMatch(outcome.stderr, /disappeared|modified|error|not valid/, operation);
}

const text = ({ record, references, registered }: Row, dated: boolean): string =>
  [record, ...references, ...(dated ? [registered] : [])].join(' ');
