import assert from 'node:assert/strict';
import type { KillPoint } from '../../harness/injection.ts';
import { checkOperation } from '../checks.ts';
import { describe, type Ground } from '../ground.ts';
import type { Model } from '../model.ts';
import { end, ensureRunning } from '../session.ts';
import type { Command } from './command.ts';
import { showKill } from './show.ts';

/** Collects garbage, old generations included: nothing of the image, nothing that has a root, all else. */
export class Collect implements Command {
  readonly #kill: KillPoint | undefined;

  constructor(kill: KillPoint | undefined) {
    this.#kill = kill;
  }

  check = (): boolean => true;

  async run(model: Model, ground: Ground): Promise<void> {
    await ensureRunning(model, ground);
    const expected = model.afterGc();
    const before = new Set([...model.valid.keys(), ...model.cached.keys()]);
    const outcome = await ground.script('nix-collect-garbage -d', this.#kill);
    model.roots.collected(model.container.project);
    if (this.#kill !== undefined && outcome.exitCode !== 0) {
      await end(model, ground, 'SIGKILL');
      const killed = { must: expected.must, may: new Set(model.valid.keys()) };
      checkOperation(model, ground, killed, `${this}`, before);
      return;
    }
    assert.equal(outcome.exitCode, 0, `${this}: ${describe(outcome)}`);
    checkOperation(model, ground, expected, this.toString(), before);
    const { paths, whiteouts } = ground.upper();
    // Nix's own directory of hard links is no store path.
    const left = [...paths].filter((path) => !model.valid.has(path) && path !== '/nix/store/.links');
    assert.deepEqual(left, [], `${this} leaves nothing in upper/ that is not valid`);
    const deleted = [...model.image().rows.keys()].filter((path) => !model.valid.has(path));
    assert.deepEqual(whiteouts.sort(), deleted.sort(), `${this} leaves no whiteout`);
  }

  toString = (): string => `collect garbage${showKill(this.#kill)}`;
}
