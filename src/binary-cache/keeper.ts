import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf, hasErrno } from '../errors.ts';
import { unlessAborted } from '../linux/abort.ts';
import { Changes } from '../linux/changes.ts';
import { flushFileSystem } from '../linux/flush.ts';
import { removeFile } from '../linux/remove.ts';
import { replaceFile } from '../linux/replace.ts';
import { batches, NixFailure, type Running, runNix } from '../nix/program.ts';
import { databaseFile } from '../state/database.ts';
import { readImageLinks } from '../state/links/links.ts';
import { DATABASE, databaseLooks, type NewPath, narinfoOf, pathsSince, validPaths } from './new-paths.ts';
import { keepCommand } from './nix.ts';
import type { CachePlaces } from './places.ts';
import { renderRecord } from './record.ts';
import type { Restored } from './restore.ts';
import { writeStart } from './start.ts';

/**
 * Keeps what the container's store gets in the binary cache, and its profiles and roots in the record, by events: while
 * nothing changes it does nothing.
 */
export class PathKeeper {
  readonly #places: CachePlaces;
  readonly #restored: Restored;
  readonly #running: Omit<Running, 'signal'>;
  readonly #changes: Changes;
  /** How the database looked when nothing in it was missing from the cache. */
  #looks: string | undefined;
  /** The last row up to which nothing is missing. */
  #kept: number;
  /** Paths that Nix would not copy. */
  readonly #refused = new Set<string>();
  #record: string | null;
  #complained = false;

  constructor(places: CachePlaces, restored: Restored, running: Omit<Running, 'signal'>) {
    this.#places = places;
    this.#restored = restored;
    this.#running = running;
    this.#kept = restored.start.lastPath;
    this.#record = restored.start.record;
    this.#changes = new Changes({
      act: (stopped) => this.#keep(stopped),
      // It is looked at with every other change, and when the container ends.
      onUnwatchable: (directory, error) =>
        running.log.debug('cannot be watched', { directory, errno: errnoOf(error) }),
    });
  }

  /** To be called when the command runs. */
  start(): void {
    this.#changes.watch(dirname(databaseFile(this.#places.stateDir)), DATABASE);
    this.#watchLinks();
    // What an earlier run of this container did not come to.
    this.#changes.changed();
  }

  /** To be called when the container is about to end: what is under way ends, and nothing more begins by itself. */
  stop(): void {
    this.#changes.stop();
  }

  /**
   * The rest, when nothing else runs any more.
   * @param signal aborted when there is no more time.
   */
  async finish(signal: AbortSignal): Promise<void> {
    this.stop();
    const { cache, open } = this.#places;
    await this.#attempt('profiles and roots could not be noted', () => this.#noteLinks());
    await this.#attempt('not everything new is in the binary cache', async () => {
      await this.#changes.settled();
      await this.#copyNew(signal);
    });
    // The next boot is to look what was left unfinished.
    if (signal.aborted) return;
    await this.#attempt('cannot say that the binary cache is whole', () => {
      flushFileSystem(cache);
      removeFile(open);
    });
  }

  async #attempt(failed: string, act: () => void | Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.#running.log.warn(`${failed}: ${message(error)}`);
    }
  }

  async #keep(stopped: AbortSignal): Promise<void> {
    try {
      await this.#copyNew(stopped);
      this.#noteLinks();
      this.#complained = false;
    } catch (error) {
      // Told to stop, or a link went while it was looked at, of which a change tells.
      if (stopped.aborted || hasErrno(error, 'ENOENT')) return;
      // Once: a volume that is full stays so for a while.
      if (!this.#complained)
        this.#running.log.warn(`cannot add to the binary cache, will try again: ${message(error)}`);
      this.#complained = true;
    }
  }

  /** Copying itself may change how the database looks, so looks again until nothing is new. */
  async #copyNew(signal: AbortSignal): Promise<void> {
    const { stateDir } = this.#places;
    for (;;) {
      const looks = databaseLooks(stateDir);
      if (looks === this.#looks) return;
      const since = pathsSince(stateDir, this.#kept);
      const missing = await this.#missing(since, signal);
      for (const batch of batches(missing)) await this.#copy(batch, signal);
      this.#kept = since.at(-1)?.id ?? this.#kept;
      if (missing.length === 0) this.#looks = looks;
    }
  }

  /** One path that cannot be copied must not keep the others from it. */
  async #copy(paths: readonly string[], signal: AbortSignal): Promise<void> {
    try {
      await runNix(keepCommand(this.#places, paths), { ...this.#running, signal });
    } catch (error) {
      if (!(error instanceof NixFailure) || error.isDiskFull) throw error;
      const [path = '', ...more] = paths;
      if (more.length > 0) {
        for (const one of paths) await this.#copy([one], signal);
        return;
      }
      this.#refused.add(path);
      // Collected meanwhile, it is nobody's loss.
      if (validPaths(this.#places.stateDir, paths).size > 0)
        this.#running.log.warn(`cannot add ${path} to the binary cache: ${error.message}`);
    }
  }

  /** Those that the cache has not; a volume behind a network is not to be waited for. */
  async #missing(rows: readonly NewPath[], signal: AbortSignal): Promise<string[]> {
    const { cache } = this.#places;
    const paths = rows.map(({ path }) => path).filter((path) => !this.#refused.has(path));
    const looks = Promise.allSettled(paths.map((path) => access(narinfoOf(cache, path))));
    const there = await unlessAborted(looks, signal);
    return paths.filter((_, index) => there[index]?.status === 'rejected');
  }

  #noteLinks(): void {
    const { stateDir, record, own } = this.#places;
    const { start, bases, unrestored } = this.#restored;
    // Before they are read: what changes in between is told of.
    this.#watchLinks();
    const present = readImageLinks(stateDir);
    const waiting = [...unrestored].filter(([path]) => !present.has(path));
    const links = new Map([...waiting, ...present]);
    const text = renderRecord({ bases, links, unrestored: waiting.map(([path]) => path) });
    if (text === this.#record) return;
    replaceFile(record, text);
    this.#record = text;
    writeStart(own, { ...start, record: text });
  }

  /** Whatever directories they are in. Others may remove one while it is looked at; then they are looked at again. */
  #watchLinks(): void {
    const { stateDir } = this.#places;
    for (const path of ['profiles', 'gcroots']) this.#changes.watch(`${stateDir}/${path}`);
    try {
      for (const [path, { kind }] of readImageLinks(stateDir))
        if (kind === 'directory') this.#changes.watch(`${stateDir}/${path}`);
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error;
      this.#changes.changed();
    }
  }
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));
