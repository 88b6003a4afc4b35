import type { Ground } from '../ground.ts';
import type { Model } from '../model.ts';
import { boot, type Container, type Ending, end } from '../session.ts';
import type { Command } from './command.ts';

/** Ends what runs, well or by kill -9, and boots: the same image, an upgrade, a downgrade, or sideways. */
export class SwitchTo implements Command {
  readonly #container: Container;
  readonly #ending: Ending;

  constructor(container: Container, ending: Ending) {
    this.#container = container;
    this.#ending = ending;
  }

  check = (): boolean => true;

  async run(model: Model, ground: Ground): Promise<void> {
    await end(model, ground, this.#ending);
    await boot(model, ground, this.#container);
  }

  toString = (): string =>
    `${this.#ending}, boot ${this.#container.image}${this.#container.project ? '' : ' without the project'}`;
}
