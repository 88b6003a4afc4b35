import type { KillPoint } from '../../harness/injection.ts';
import type { Ground } from '../ground.ts';
import type { Model } from '../model.ts';
import { type Container, type Ending, end, killedBoot } from '../session.ts';
import type { Command } from './command.ts';
import { showKill } from './show.ts';

/**
 * Ends what runs and boots an image, whose init is killed at a call that changes something. Next comes that image again, or
 * the one before.
 */
export class KillBoot implements Command {
  readonly #container: Container;
  readonly #ending: Ending;
  readonly #point: KillPoint;
  readonly #back: boolean;

  constructor(container: Container, ending: Ending, point: KillPoint, back: boolean) {
    this.#container = container;
    this.#ending = ending;
    this.#point = point;
    this.#back = back;
  }

  check = (): boolean => true;

  async run(model: Model, ground: Ground): Promise<void> {
    await end(model, ground, this.#ending);
    const { container } = model;
    await killedBoot(model, ground, this.#container, this.#point);
    if (this.#back) model.container = container;
  }

  toString = (): string => {
    const { image, project } = this.#container;
    return `${this.#ending}, boot ${image}${project ? '' : ' without the project'}${showKill(this.#point)}${this.#back ? ', and back' : ''}`;
  };
}
