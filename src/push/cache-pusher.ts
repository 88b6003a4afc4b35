import type { CacheUri } from '../config/cache-uri.ts';
import { unlessAborted } from '../linux/abort.ts';
import type { Running } from '../nix/program.ts';
import { backoffMs } from '../supervise/backoff.ts';
import { pushPaths } from './push.ts';
import { PushRecord } from './record.ts';
import { PATIENCE } from './round.ts';
import { hashPart, listPaths, type Source } from './source.ts';

/** What is pushed from where, whichever the cache. */
export type PushFrom = {
  source: Source;
  nix: string;
  /** The source as a store URI. */
  from: string;
  /** The directory of what was pushed where. */
  records: string;
};

/** How long a cache that failed is left alone: at first, and at most. */
const RETRY = { firstMs: 5000, lastMs: 600_000 };

/** Keeps one cache supplied. Caches do not wait for each other. */
export class CachePusher {
  readonly #from: PushFrom;
  readonly #to: CacheUri;
  readonly #record: PushRecord;
  readonly #running: Omit<Running, 'signal'>;
  #work: Promise<void> | undefined;
  #again = false;
  #retry: NodeJS.Timeout | undefined;
  /** In a row. */
  #failures = 0;
  /** What did not get there the last time, which comes last the next. */
  #failed: ReadonlySet<string> = new Set();

  constructor(from: PushFrom, to: CacheUri, running: Omit<Running, 'signal'>) {
    this.#from = from;
    this.#to = to;
    this.#record = new PushRecord(from.records, to);
    this.#running = running;
  }

  /** Says that there may be something new. A cache that failed has its time first. */
  wake(stopped: AbortSignal): void {
    this.#again = true;
    if (this.#work !== undefined || this.#retry !== undefined || stopped.aborted) return;
    this.#again = false;
    this.#work = this.#try(stopped).finally(() => {
      this.#work = undefined;
      if (this.#again) this.wake(stopped);
    });
  }

  /** The rest, after `stopped` was aborted: once, for there is no time to find out more. */
  async finish(signal: AbortSignal): Promise<void> {
    clearTimeout(this.#retry);
    const { log } = this.#running;
    const { shown } = this.#to;
    // What was asked for in vain before it was known that there is something would be a false alarm.
    let known = false;
    try {
      await unlessAborted(Promise.resolve(this.#work), signal);
      const paths = await unlessAborted(this.#pending(), signal);
      known = paths.length > 0;
      const left = await this.#push(paths, 0, signal);
      if (left !== undefined) throw new Error(left.why);
    } catch (error) {
      const say = known ? log.warn : log.info;
      say(`not everything new was pushed to ${shown}, it will be the next time: ${message(error)}`);
    }
  }

  async #try(stopped: AbortSignal): Promise<void> {
    try {
      const left = await this.#push(await this.#pending(), PATIENCE, stopped);
      this.#failed = new Set(left?.missing.map(hashPart));
      // Collected meanwhile, they are nobody's loss.
      const wanted = left === undefined ? [] : await this.#pending();
      if (left !== undefined && wanted.some((path) => this.#failed.has(hashPart(path))))
        throw new Error(left.why);
      this.#failures = 0;
    } catch (error) {
      if (!stopped.aborted) this.#tryLater(message(error), stopped);
    }
  }

  #tryLater(why: string, stopped: AbortSignal): void {
    const { log } = this.#running;
    this.#failures += 1;
    // Once: one that is down stays so for a while.
    const say = this.#failures === 1 ? log.warn : log.info;
    say(`cannot push to ${this.#to.shown}, will try again: ${why}`);
    this.#retry = setTimeout(
      () => {
        this.#retry = undefined;
        this.wake(stopped);
      },
      backoffMs(this.#failures, RETRY),
    );
  }

  async #pending(): Promise<string[]> {
    const pushed = await this.#record.read();
    const paths = await listPaths(this.#from.source, (hash) => pushed.has(hash));
    const failed = (path: string): number => Number(this.#failed.has(hashPart(path)));
    return paths.sort((a, b) => failed(a) - failed(b));
  }

  async #push(paths: readonly string[], patience: number, signal: AbortSignal): ReturnType<typeof pushPaths> {
    const { nix, from } = this.#from;
    const onPushed = async (some: readonly string[]): Promise<void> => {
      const noted = await this.#record.note(some);
      this.#running.log.info(`pushed to ${this.#to.shown}`, { paths: some.length, noted });
    };
    const push = { paths, to: this.#to, nix, from, fresh: false, patience, onPushed };
    return await pushPaths(push, { ...this.#running, signal });
  }
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));
