import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type Ground } from '../ground.ts';
import type { Model } from '../model.ts';
import { ensureRunning } from '../session.ts';
import type { Command } from './command.ts';

/** Removes one of the roots; one in a project directory that is not mounted, elsewhere. */
export class RemoveRoot implements Command {
  readonly #choice: number;

  constructor(choice: number) {
    this.#choice = choice;
  }

  check = ({ roots }: Model): boolean => roots.names().length > 0;

  async run(model: Model, ground: Ground): Promise<void> {
    await ensureRunning(model, ground);
    const names = model.roots.names();
    const name = names[this.#choice % names.length] ?? '';
    const kind = model.roots.kindOf(name);
    if (kind === 'project') rmSync(join(ground.project, name));
    else {
      const where = kind === 'profile' ? `profiles/${name}*` : `gcroots/${name}`;
      const outcome = await ground.script(`rm /nix/var/nix/${where}`);
      assert.equal(outcome.exitCode, 0, describe(outcome));
    }
    model.roots.remove(name);
  }

  toString = (): string => `remove root ${this.#choice}`;
}
