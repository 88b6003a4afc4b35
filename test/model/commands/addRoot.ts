import assert from 'node:assert/strict';
import { checkOperation } from '../checks.ts';
import { describe, type Ground } from '../ground.ts';
import type { Model } from '../model.ts';
import type { RootKind } from '../roots.ts';
import { ensureRunning } from '../session.ts';
import { need } from '../universe.ts';
import type { Command } from './command.ts';

/** How a user makes a root of each kind for what `"$path"` is, under a name. */
const making: Record<RootKind, (name: string) => string> = {
  profile: () => 'nix-env --profile /nix/var/nix/profiles/mine --set "$path"',
  direct: (name) => `ln -sfn "$path" /nix/var/nix/gcroots/${name}`,
  project: (name) => `nix-store --realise "$path" --indirect --add-root /project/${name}`,
};

/** Builds a package and gives it a root. There is one profile, and one root of the other kinds for each package. */
export class AddRoot implements Command {
  readonly #kind: RootKind;
  readonly #package: string;

  constructor(kind: RootKind, name: string) {
    this.#kind = kind;
    this.#package = name;
  }

  check = ({ container }: Model): boolean => this.#kind !== 'project' || container.project;

  async run(model: Model, ground: Ground): Promise<void> {
    await ensureRunning(model, ground);
    const { expected } = model.build(this.#package);
    const name = this.#kind === 'profile' ? 'mine' : `${this.#kind}-${this.#package}`;
    const build = `path=$(nix-build /packages.nix -A ${this.#package} --no-out-link)`;
    const outcome = await ground.script(`${build}; ${making[this.#kind](name)}`);
    assert.equal(outcome.exitCode, 0, `${this}: ${describe(outcome)}`);
    model.roots.add(name, this.#kind, need(model.universe.packages, this.#package).output);
    checkOperation(model, ground, expected, this.toString());
  }

  toString = (): string => `root ${this.#package} (${this.#kind})`;
}
