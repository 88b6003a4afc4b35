/** One thing that init had to say, whether or not the log shows that much. */
export type Entry = {
  /** Milliseconds since the epoch. */
  time: number;
  level: 'debug' | 'info' | 'warn' | 'error';
  message: string;
  fields: Readonly<Record<string, unknown>>;
};

const MOST_ENTRIES = 500;

/** The last things said, for who asks later: `docker logs` is not to be had from inside of a container. */
export class Journal {
  readonly #entries: Entry[] = [];
  readonly #listeners = new Set<(entry: Entry) => void>();

  add(entry: Entry): void {
    this.#entries.push(entry);
    if (this.#entries.length > MOST_ENTRIES) this.#entries.shift();
    for (const listener of [...this.#listeners]) listener(entry);
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** Calls back with each new entry, until the returned function is called. */
  onEntry(listener: (entry: Entry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
