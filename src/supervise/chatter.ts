import { closeOnExecPipe } from '../linux/descriptors.ts';
import { readLinesOf } from '../linux/lines.ts';
import type { Log } from '../log.ts';

const TAIL_LINES = 10;
/** When to begin to read: a command that is over at once need not pay for Node's network stack. A pipe holds 64 KiB (pipe(7)). */
const READ_AFTER_MS = 50;

/** What a service says, for the debug log; the last lines are kept for the report of a crash. */
export class Chatter {
  readonly #name: string;
  readonly #log: Log;
  #tail: string[] = [];
  #opened = false;

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
    const { read, write } = closeOnExecPipe();
    // Later starts follow a crash, of which the report wants the last lines at once.
    if (this.#opened) this.#read(read);
    else setTimeout(() => this.#read(read), READ_AFTER_MS);
    this.#opened = true;
    return write;
  }

  #read(pipe: number): void {
    void readLinesOf(pipe, (line) => {
      this.#log.debug(this.#name, { line });
      this.#tail = [...this.#tail, line].slice(-TAIL_LINES);
    });
  }
}
