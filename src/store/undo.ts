import { closeSync } from 'node:fs';
import { errnoOf } from '../errors.ts';
import { unmount } from '../linux/mount.ts';
import { removeFile } from '../linux/remove.ts';
import type { Log } from '../log.ts';

/** What `apply` did, to be taken back newest first: at shutdown, or when a later step fails. */
export class Undo {
  readonly #actions: (() => void)[] = [];
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  unmounting(target: string): void {
    this.#actions.push(() => unmountOrDetach(target, this.#log));
  }

  closing(fd: number): void {
    this.#actions.push(() => closeSync(fd));
  }

  removing(path: string): void {
    this.#actions.push(() => removeFile(path));
  }

  /** What is to be done at that point of the way back. */
  ending(action: () => void): void {
    this.#actions.push(action);
  }

  /** One action that fails does not keep the others from being tried; each failure is reported. */
  run(): void {
    for (let action = this.#actions.pop(); action !== undefined; action = this.#actions.pop()) {
      try {
        action();
      } catch (error) {
        this.#log.error('could not undo a step of the boot', { error: String(error) });
      }
    }
  }
}

/** Someone outside our PID namespace may still use a mount; detached, it ends when they do. */
export function unmountOrDetach(target: string, log: Log): void {
  try {
    unmount(target);
  } catch (error) {
    if (errnoOf(error) !== 'EBUSY') throw error;
    log.info('still in use, detaching', { target });
    unmount(target, true);
  }
}
