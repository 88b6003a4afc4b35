import assert from 'node:assert/strict';
import { checkOperation } from '../checks.ts';
import { exactly } from '../expectation.ts';
import { describe, type Ground } from '../ground.ts';
import type { Model } from '../model.ts';
import { ensureRunning } from '../session.ts';
import type { Command } from './command.ts';

/** Deletes a path of the image against all advice; a boot brings it back. */
export class DeleteImagePath implements Command {
  readonly #choice: number;

  constructor(choice: number) {
    this.#choice = choice;
  }

  check = (): boolean => true;

  async run(model: Model, ground: Ground): Promise<void> {
    await ensureRunning(model, ground);
    const deletable = model.deletable();
    const path = deletable[this.#choice % deletable.length];
    if (path === undefined) return;
    const outcome = await ground.script(`nix-store --delete --ignore-liveness ${path}`);
    assert.equal(outcome.exitCode, 0, `${this}: ${describe(outcome)}`);
    const rest = [...model.valid.keys()].filter((valid) => valid !== path);
    checkOperation(model, ground, exactly(rest), `${this}: ${path}`);
  }

  toString = (): string => `delete image path ${this.#choice}`;
}
