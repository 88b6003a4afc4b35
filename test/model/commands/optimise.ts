import assert from 'node:assert/strict';
import type { KillPoint } from '../../harness/injection.ts';
import { checkOperation } from '../checks.ts';
import { exactly } from '../expectation.ts';
import { describe, type Ground } from '../ground.ts';
import type { Model } from '../model.ts';
import { end, ensureRunning } from '../session.ts';
import type { Command } from './command.ts';
import { showKill } from './show.ts';

/**
 * Over an image that is itself on an overlay, as an engine's are, the kernel cannot rename a file over one of the image to
 * which it is linked. Nix gives up then, half way, and that must do no harm either.
 */
const refused = /Stale file handle/;

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
    else assert.ok(outcome.exitCode === 0 || refused.test(outcome.stderr), `${this}: ${describe(outcome)}`);
    checkOperation(model, ground, exactly(model.valid.keys()), this.toString());
  }

  toString = (): string => `optimise${showKill(this.#kill)}`;
}
