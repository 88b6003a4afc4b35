import assert from 'node:assert/strict';
import type { KillPoint } from '../../harness/injection.ts';
import { checkOperation } from '../checks.ts';
import { describe, type Ground } from '../ground.ts';
import type { Model } from '../model.ts';
import { end, ensureRunning } from '../session.ts';
import type { Command } from './command.ts';
import { showKill } from './show.ts';

/** Builds a package: what is missing of it, and nothing that is not. */
export class Build implements Command {
  readonly #name: string;
  readonly #kill: KillPoint | undefined;

  constructor(name: string, kill: KillPoint | undefined) {
    this.#name = name;
    this.#kill = kill;
  }

  check = (): boolean => true;

  async run(model: Model, ground: Ground): Promise<void> {
    await ensureRunning(model, ground);
    const { expected, built } = model.build(this.#name);
    const script = `nix-build /packages.nix -A ${this.#name} --no-out-link`;
    const outcome = await ground.script(script, this.#kill);
    if (this.#kill !== undefined && outcome.exitCode !== 0) {
      // Without its client the container is killed as well: kill -9 while it works.
      await end(model, ground, 'SIGKILL');
      checkOperation(
        model,
        ground,
        { must: new Set(model.valid.keys()), may: expected.may },
        this.toString(),
      );
      return;
    }
    assert.equal(outcome.exitCode, 0, `${this}: ${describe(outcome)}`);
    assert.deepEqual(builtIn(outcome.stderr), [...built].sort(), `${this} builds what is missing`);
    checkOperation(model, ground, expected, this.toString());
  }

  toString = (): string => `build ${this.#name}${showKill(this.#kill)}`;
}

/** The derivations that Nix says it builds. */
export const builtIn = (stderr: string): string[] =>
  [...stderr.matchAll(/^building '(\S+\.drv)'/gm)].map(([, path = '']) => path).sort();
