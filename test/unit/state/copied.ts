import { mkdirSync } from 'node:fs';
import { copyTree } from '../../../src/state/copy.ts';
import { listTree } from '../../../src/state/tree.ts';
import { temporaryDirectory } from '../fixtures.ts';

/** Fills a tree, copies it, and hands both to the comparison. */
export async function copied(
  fill: (from: string) => void,
  compare: (from: string, to: string) => void,
): Promise<void> {
  using directory = temporaryDirectory();
  const from = `${directory.path}/from`;
  const to = `${directory.path}/to`;
  mkdirSync(from);
  fill(from);
  await copyTree(
    from,
    to,
    listTree(from, () => false),
    () => {},
  );
  compare(from, to);
}
