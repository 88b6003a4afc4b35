import type { CacheUri } from '../config/cache-uri.ts';
import { errnoOf } from '../errors.ts';
import { Changes } from '../linux/changes.ts';
import { nixEnvironment, type Running } from '../nix/program.ts';
import { type CacheHome, lendCacheHome } from './cache-home.ts';
import { CachePusher, type PushFrom } from './cache-pusher.ts';
import { looksOf, watched } from './source.ts';

export type PushRequest = PushFrom & { to: readonly CacheUri[] };

/** Pushes what the volume gets to binary caches, beside the command and at the end. */
export class Pusher {
  readonly #request: PushRequest;
  readonly #running: Omit<Running, 'signal'>;
  readonly #changes: Changes;
  #caches: readonly CachePusher[] = [];
  #home: CacheHome | undefined;
  /** How the source looked when it was last looked into. */
  #looks: string | undefined;

  constructor(request: PushRequest, running: Omit<Running, 'signal'>) {
    this.#request = request;
    this.#running = running;
    this.#changes = new Changes({
      act: async (stopped) => this.#lookInto(stopped),
      // Then at the end only.
      onUnwatchable: (directory, error) =>
        running.log.debug('cannot be watched', { directory, errno: errnoOf(error) }),
    });
  }

  /** To be called when the command runs. */
  start(): void {
    const { source, to } = this.#request;
    const { directory, names } = watched(source);
    this.#home = lendCacheHome(process.env, this.#running.log);
    const running = { ...this.#running, env: { ...nixEnvironment(), ...this.#home.variables } };
    this.#caches = to.map((one) => new CachePusher(this.#request, one, running));
    this.#changes.watch(directory, names);
    // What an earlier run did not come to.
    this.#changes.changed();
  }

  /** Looking into a database is a change of it to whoever watches. */
  #lookInto(stopped: AbortSignal): void {
    const looks = looksOf(this.#request.source);
    if (looks !== undefined && looks === this.#looks) return;
    this.#looks = looks;
    for (const cache of this.#caches) cache.wake(stopped);
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
    await Promise.all(this.#caches.map((cache) => cache.finish(signal)));
    this.#home?.remove();
  }
}
