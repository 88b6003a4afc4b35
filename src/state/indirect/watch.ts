import { type FSWatcher, watch } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { errnoOf } from '../../errors.ts';
import { makeDirectories } from '../../linux/directories.ts';
import { replaceFileLater } from '../../linux/replace.ts';
import type { Log } from '../../log.ts';
import { isSame, loadRecord, updateRoots } from './indirect.ts';
import { autoDir, type RootPlaces } from './place.ts';
import { renderRecord } from './record.ts';

/**
 * Notes roots in mounted directories as they come and go, by events: a container that is killed has no time to. While
 * nothing changes it does nothing.
 */
export class RootWatcher {
  readonly #places: RootPlaces;
  readonly #log: Log;
  readonly #watcher: FSWatcher | undefined;
  #changed = new Set<string>();
  #noting = false;
  #closed = false;

  constructor(places: RootPlaces, log: Log) {
    this.#places = places;
    this.#log = log;
    this.#watcher = this.#watch();
  }

  close(): void {
    this.#closed = true;
    this.#watcher?.close();
  }

  /** Undefined where that is not possible: then only an orderly end of the container notes them. */
  #watch(): FSWatcher | undefined {
    const path = autoDir(this.#places.state);
    try {
      makeDirectories(path, 0o755);
      const watcher = watch(path, { persistent: false, encoding: 'latin1' });
      watcher.on('change', (_, name) => this.#note(String(name)));
      watcher.on('error', (error) => this.#complain(error));
      return watcher;
    } catch (error) {
      this.#complain(error);
      return undefined;
    }
  }

  #note(name: string): void {
    this.#changed.add(name);
    if (this.#noting) return;
    this.#noting = true;
    this.#noteAll()
      .catch((error: unknown) => this.#complain(error))
      .finally(() => {
        this.#noting = false;
      });
  }

  /** What changes while the disk is waited for is noted in one go. */
  async #noteAll(): Promise<void> {
    const { record } = this.#places;
    await turn();
    while (this.#changed.size > 0 && !this.#closed) {
      const changed = this.#changed;
      this.#changed = new Set();
      const known = loadRecord(this.#places, this.#log);
      const { roots } = updateRoots(known.roots, changed, this.#places, this.#log);
      if (isSame(roots, known.roots)) continue;
      await replaceFileLater(record, renderRecord({ looks: null, roots }), () => !this.#closed);
    }
  }

  #complain(error: unknown): void {
    this.#log.warn('roots in mounted directories are only noted when the container ends', {
      errno: errnoOf(error),
    });
  }
}
