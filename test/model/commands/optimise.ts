import assert from 'node:assert/strict';
import { checkOperation } from '../checks.ts';
import { exactly } from '../expectation.ts';
import { describe, type Ground, type KillPoint } from '../ground.ts';
import type { Model } from '../model.ts';
import { end, ensureRunning } from '../session.ts';
import type { Command } from './command.ts';
import { showKill } from './show.ts';

/** Has Nix link equal files to one another, which copies files of the image up. */
export class Optimise implements Command {
  readonly #kill: KillPoint | undefined;

  constructor(kill: KillPoint | undefined) {
    this.#kill = kill;
  }

  check = (): boolean => true;

  async run(model: Model, ground: Ground): Promise<void> {
    await ensureRunning(model, ground);
    const outcome = await ground.script('nix-store --optimise', this.#kill);
    if (this.#kill !== undefined && outcome.exitCode !== 0) await end(model, ground, 'SIGKILL');
    else assert.equal(outcome.exitCode, 0, `${this}: ${describe(outcome)}`);
    checkOperation(model, ground, exactly(model.valid.keys()), this.toString());
  }

  toString = (): string => `optimise${showKill(this.#kill)}`;
}
