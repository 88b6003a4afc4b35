import type { Config } from '../config/keys.ts';
import type { LoadedConfig } from '../config/load.ts';
import { formatSize } from '../config/units.ts';
import type { ExitOf } from '../linux/helper.ts';
import type { Log } from '../log.ts';
import type { StrategyName } from '../store/plan.ts';
import type { Companion } from '../supervise/companion.ts';
import { answerIn, runOwnCommand } from '../supervise/own-command.ts';
import { lastCollection } from './last.ts';
import type { GcReport } from './report.ts';

export type ScheduleRequest = { loaded: LoadedConfig; strategy: StrategyName; log: Log; exitOf: ExitOf };

/** What setTimeout can wait for. */
const LONGEST_MS = 2 ** 31 - 1;
const TAIL_LINES = 3;

/**
 * Whether init collects garbage by itself: when that is configured, and there is a cache of which it is the one that writes to it.
 */
export function isScheduled(
  config: Pick<Config, 'gc.maxSize' | 'gc.schedule' | 'access'>,
  strategy: StrategyName,
): boolean {
  const wanted = config['gc.maxSize'] !== undefined || config['gc.schedule'] !== undefined;
  return wanted && config.access === 'read-write' && strategy !== 'none' && strategy !== 'host';
}

/**
 * Collects garbage beside the command, in a process of its own at the lowest priority: once the command runs, if a maximum size is
 * configured or the last time is long ago, and then as scheduled. One at a time; between them there is one timer.
 */
export class GcSchedule implements Companion {
  readonly #request: ScheduleRequest;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<void> | undefined;

  constructor(request: ScheduleRequest) {
    this.#request = request;
  }

  /** To be called when the command runs. */
  start(): void {
    const { config } = this.#request.loaded;
    const everyMs = config['gc.schedule'];
    const last = everyMs === undefined ? undefined : lastCollection(config.cacheDir)?.at;
    const left = firstDelay({ everyMs, last, maxSize: config['gc.maxSize'], now: Date.now() });
    if (left === 0) this.#begin();
    else this.#wait(left);
  }

  stop(): void {
    this.#stop.abort(new Error('the container ends'));
    clearTimeout(this.#timer);
  }

  /** Whatever was under way was told to end with the others. */
  async finish(): Promise<void> {
    await this.#work;
  }

  #wait(ms: number): void {
    if (this.#stop.signal.aborted) return;
    this.#timer = setTimeout(
      () => (ms > LONGEST_MS ? this.#wait(ms - LONGEST_MS) : this.#begin()),
      Math.min(ms, LONGEST_MS),
    );
  }

  #begin(): void {
    const { log, loaded } = this.#request;
    const { config } = loaded;
    this.#work = this.#collect()
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted) log.warn(`garbage collection failed: ${message(error)}`);
      })
      .finally(() => {
        this.#work = undefined;
        if (config['gc.schedule'] !== undefined) this.#wait(config['gc.schedule']);
      });
  }

  async #collect(): Promise<void> {
    const { loaded, strategy, log, exitOf } = this.#request;
    const said: string[] = [];
    const { exitCode, output } = await runOwnCommand(gcArguments(loaded.config['gc.maxSize'], strategy), {
      loaded,
      exitOf,
      signal: this.#stop.signal,
      onLine: (line) => said.push(line),
    });
    if (this.#stop.signal.aborted) return;
    const report = answerIn(output) as GcReport | undefined;
    if (report === undefined) {
      log.warn(`garbage collection ended with status ${exitCode}: ${said.slice(-TAIL_LINES).join(' ')}`);
      return;
    }
    const { deleted, freed, after, under, maxSize } = report;
    const numbers = { deleted: deleted.length, freed, bytes: after.bytes, paths: after.paths };
    if (under) log.info('garbage collected', numbers);
    else
      log.warn(
        `the cache takes more than ${formatSize(maxSize ?? 0)}: see nix-cache-init gc --dry-run`,
        numbers,
      );
  }
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** How long to wait for the first one. Whether the cache is too large, nobody knows who does not look. */
export function firstDelay({
  everyMs,
  last,
  maxSize,
  now,
}: {
  everyMs: number | undefined;
  last: number | undefined;
  maxSize: number | undefined;
  now: number;
}): number {
  if (maxSize !== undefined || everyMs === undefined || last === undefined) return 0;
  // A clock that went back makes it no later than the next one.
  return Math.max(0, Math.min(last + everyMs - now, everyMs));
}

/** The arguments of one collection; what is configured it has from variables. */
export function gcArguments(maxSize: number | undefined, strategy: StrategyName): string[] {
  const size = maxSize === undefined ? [] : [`--max-size=${maxSize}`];
  return ['gc', '--json', '--background', ...size, `--strategy=${strategy}`];
}
