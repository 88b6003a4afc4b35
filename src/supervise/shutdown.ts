import { listProcesses, type ProcessEntry, withDescendants } from '../linux/process.ts';
import type { Log } from '../log.ts';
import type { Daemon } from './daemon.ts';
import type { Reaper } from './reaper.ts';
import { stopProcesses } from './stop.ts';

// Parts of the grace. The main command may use all but the last of it; the others are told when it has had its start,
// and the daemon, which they may need to finish, stops last.
const TELL_OTHERS_AT = 0.6;
const KILL_AT = 0.9;
/** What setTimeout can wait for; beyond that it would not wait at all. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export type ShutdownOptions = {
  main: number | undefined;
  /** Whether signals go to the main command's whole group. */
  processGroup: boolean;
  daemon: Daemon | undefined;
  graceMs: number;
  reaper: Reaper;
  log: Log;
};

/** The way out (DESIGN §7.10): main command, everyone else, kill, daemon. Each phase ends with its last process. */
export class Shutdown {
  readonly #options: ShutdownOptions;
  readonly #hurry = new AbortController();
  readonly #request = Promise.withResolvers<undefined>();
  #started: number | undefined;
  #others: Promise<number[]> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Who had the TERM that began the shutdown: a second one makes some programs give up at once. */
  #told: ReadonlySet<number> = new Set();

  constructor(options: ShutdownOptions) {
    this.#options = options;
  }

  /** Resolves when TERM or INT asks init itself to stop. */
  get requested(): Promise<undefined> {
    return this.#request.promise;
  }

  /**
   * The first TERM starts the clock: the main command has been told. INT is the main command's own affair, unless it
   * has none or a shutdown is under way: then, as a second TERM, it means that someone is out of patience.
   */
  consider(signal: NodeJS.Signals): void {
    if (signal !== 'SIGTERM' && signal !== 'SIGINT') return;
    if (this.#started !== undefined) this.#hurry.abort();
    else if (signal === 'SIGTERM' || this.#options.main === undefined) this.#begin();
    if (this.#hurry.signal.aborted) this.#stopOthers();
  }

  /** Call when the main command is gone: stops everyone who is left. */
  async finish(): Promise<void> {
    const { daemon, log, reaper } = this.#options;
    const { deadline } = this.#clock();
    daemon?.retire();
    clearTimeout(this.#timer);
    const killed = await this.#stopOthers();
    const more = await stopProcesses({ select: everyone, deadline, hurry: this.#hurry.signal, reaper });
    log.info('shutdown', {
      killed: [...killed, ...more],
      ms: Math.round(performance.now() - this.#clock().start),
    });
  }

  #begin(): void {
    const { start } = this.#clock();
    const { main, processGroup, daemon } = this.#options;
    daemon?.retire();
    if (main !== undefined) {
      const group = listProcesses().filter((entry) => processGroup && entry.group === main);
      this.#told = new Set([main, ...group.map(({ pid }) => pid)]);
    }
    this.#request.resolve(undefined);
    this.#timer = setTimeout(
      () => this.#stopOthers(),
      Math.min(start + this.#options.graceMs * TELL_OTHERS_AT - performance.now(), LONGEST_TIMER_MS),
    );
  }

  /** Starts with whoever asks first: a signal, or the main command's exit. */
  #clock(): { start: number; killAt: number; deadline: number } {
    this.#started ??= performance.now();
    const { graceMs } = this.#options;
    return {
      start: this.#started,
      killAt: this.#started + graceMs * KILL_AT,
      deadline: this.#started + graceMs,
    };
  }

  /** Once: a main command that is still there when the others are told ends with them. */
  #stopOthers(): Promise<number[]> {
    const { daemon, reaper } = this.#options;
    this.#others ??= stopProcesses({
      select: (processes) => {
        const spared = withDescendants(daemon?.pid === undefined ? [] : [daemon.pid], processes);
        return everyone(processes).filter(({ pid }) => !spared.has(pid));
      },
      told: this.#told,
      deadline: this.#clock().killAt,
      hurry: this.#hurry.signal,
      reaper,
    });
    return this.#others;
  }
}

/** PID 1 has the whole namespace to stop, `docker exec` shells included; a subreaper only what descends from it. */
function everyone(processes: readonly ProcessEntry[]): ProcessEntry[] {
  const self = process.pid;
  if (self === 1) return processes.filter(({ pid }) => pid !== self);
  const family = withDescendants([self], processes);
  return processes.filter(({ pid }) => pid !== self && family.has(pid));
}
