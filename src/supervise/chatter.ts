import { readLines } from '../linux/lines.ts';
import type { Log } from '../log.ts';

const TAIL_LINES = 10;

/** What a service says, for the debug log; the last lines are kept for the report of a crash. */
export class Chatter {
  readonly #name: string;
  readonly #log: Log;
  #tail: string[] = [];

  constructor(name: string, log: Log) {
    this.#name = name;
    this.#log = log;
  }

  /** The last lines of the start before the next `open`. */
  get tail(): readonly string[] {
    return this.#tail;
  }

  /** A descriptor to write to, for one start of the service; the caller's to close. */
  open(): number {
    this.#tail = [];
    const { write } = readLines((line) => {
      this.#log.debug(this.#name, { line });
      this.#tail = [...this.#tail, line].slice(-TAIL_LINES);
    });
    return write;
  }
}
