import { type FSWatcher, watch } from 'node:fs';
import { uptime } from './clock.ts';

/** Changes that follow one another within this time are one. */
const QUIET_MS = 1000;
/** No change waits longer, however busy it stays. */
const PATIENCE_MS = 15_000;

export type ChangesOptions = {
  /** What is to be done about changes: once for those that come together, and never twice at a time. Must not throw. */
  act: (stopped: AbortSignal) => Promise<void>;
  /** Told of a directory that cannot be watched. */
  onUnwatchable: (directory: string, error: unknown) => void;
};

/** Does something about changes in directories, by events (inotify(7)): while nothing changes it does nothing. */
export class Changes {
  readonly #options: ChangesOptions;
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  /** When the first change came that nothing was done about yet. */
  #waiting: number | undefined;
  #work: Promise<void> | undefined;

  constructor(options: ChangesOptions) {
    this.#options = options;
  }

  /** Aborted when nothing more is to begin. */
  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  /** Watches a directory, or only some names in it, once however often it is asked to. */
  watch(directory: string, names?: RegExp): void {
    if (this.stopped.aborted || this.#watchers.has(directory)) return;
    try {
      const watcher = watch(directory, { persistent: false, encoding: 'latin1' });
      const forget = (): void => {
        watcher.close();
        this.#watchers.delete(directory);
      };
      watcher.on('change', (_, name) => {
        if (names === undefined || names.test(String(name))) this.changed();
      });
      watcher.on('error', forget);
      this.#watchers.set(directory, watcher);
    } catch (error) {
      this.#options.onUnwatchable(directory, error);
    }
  }

  /** Says that there was a change, as a watch does. */
  changed(): void {
    if (this.stopped.aborted) return;
    const now = uptime();
    this.#waiting ??= now;
    clearTimeout(this.#timer);
    const left = this.#waiting + PATIENCE_MS - now;
    this.#timer = setTimeout(() => this.#begin(), Math.max(0, Math.min(QUIET_MS, left)));
  }

  /** What is under way is told to end, and nothing more begins. */
  stop(): void {
    this.#stop.abort();
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.#work;
  }

  #begin(): void {
    // Its end is a change, if there was one meanwhile.
    if (this.#work !== undefined) return;
    this.#waiting = undefined;
    this.#work = this.#options.act(this.stopped).finally(() => {
      this.#work = undefined;
      if (this.#waiting !== undefined) this.changed();
    });
  }
}
