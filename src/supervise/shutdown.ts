import { uptime } from '../linux/clock.ts';
import { listProcesses, type ProcessEntry, withDescendants } from '../linux/process.ts';
import { type Grace, shareGrace } from './grace.ts';
import type { Reaper } from './reaper.ts';
import type { ShutdownReport } from './report.ts';
import type { Service } from './service.ts';
import { type Killed, type StopOptions, stopProcesses } from './stop.ts';
import { startTimer } from './timer.ts';

export type ShutdownOptions = {
  main: number | undefined;
  /** Whether signals go to the main command's whole group. */
  processGroup: boolean;
  /** In the order of their start. */
  services: readonly Service[];
  graceMs: number;
  reaper: Reaper;
  report: ShutdownReport;
};

/**
 * The way out (DESIGN §7.10): main command, everyone else, kill, services from the last to the first, what those left.
 * Each phase ends with its last process.
 */
export class Shutdown {
  readonly #options: ShutdownOptions;
  readonly #grace: Grace;
  readonly #hurry = new AbortController();
  readonly #request = Promise.withResolvers<undefined>();
  #started: number | undefined;
  #others: Promise<Killed[]> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Who had the TERM that began the shutdown: a second one makes some programs give up at once. */
  #told: ReadonlySet<number> = new Set();

  constructor(options: ShutdownOptions) {
    this.#options = options;
    this.#grace = shareGrace(options.graceMs, options.services.length);
  }

  /** What is left of the grace. */
  get leftMs(): number {
    return Math.max(0, this.#begin() + this.#options.graceMs - uptime());
  }

  get begun(): boolean {
    return this.#started !== undefined;
  }

  /** Aborted when someone is out of patience. */
  get hurry(): AbortSignal {
    return this.#hurry.signal;
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
    else if (signal === 'SIGTERM' || this.#options.main === undefined) this.#beginTelling();
    if (this.#hurry.signal.aborted) this.#stopOthers();
  }

  /** Call when the main command is gone: stops everyone who is left. */
  async finish(): Promise<void> {
    const { main, services, report } = this.#options;
    const start = this.#begin();
    clearTimeout(this.#timer);
    report.ended('command');
    const killed = await this.#stopOthers();
    report.ended('others');
    const isMain = ({ pid }: Killed): boolean => pid === main;
    report.killed(killed.filter(isMain), 'command');
    report.killed(
      killed.filter((one) => !isMain(one)),
      'others',
    );
    for (const [index, service] of [...services.entries()].reverse()) {
      const { name, stopSignal } = service.definition;
      const deadline = start + this.#grace.serviceAt(index);
      const select = (all: readonly ProcessEntry[]) => all.filter(({ pid }) => pid === service.pid);
      report.killed(await this.#stop({ select, signal: stopSignal, deadline }), name);
      report.serviceEnded(name);
    }
    const deadline = start + this.#options.graceMs;
    report.killed(await this.#stop({ select: everyone, deadline }), 'leftovers');
    for (const { definition } of services) definition.readiness?.release?.();
    report.ended('leftovers');
  }

  #beginTelling(): void {
    const start = this.#begin();
    const { main, processGroup } = this.#options;
    if (main !== undefined) {
      const group = listProcesses().filter((entry) => processGroup && entry.group === main);
      this.#told = new Set([main, ...group.map(({ pid }) => pid)]);
    }
    this.#request.resolve(undefined);
    this.#timer = startTimer(() => this.#stopOthers(), start + this.#grace.othersAt - uptime());
  }

  /**
   * The clock starts with whoever asks first: a signal, or the main command's exit.
   * @returns its start.
   */
  #begin(): number {
    this.#started ??= uptime();
    this.#options.report.begin(this.#started);
    for (const service of this.#options.services) service.retire();
    return this.#started;
  }

  /** Once: a main command that is still there when the others are told ends with them. */
  #stopOthers(): Promise<Killed[]> {
    const { services } = this.#options;
    this.#others ??= this.#stop({
      select: (all) => {
        const spared = withServices(services, all);
        return everyone(all).filter(({ pid }) => !spared.has(pid));
      },
      told: this.#told,
      deadline: this.#begin() + this.#grace.killAt,
    });
    return this.#others;
  }

  #stop(what: Pick<StopOptions, 'select' | 'signal' | 'told' | 'deadline'>): Promise<Killed[]> {
    return stopProcesses({ ...what, hurry: this.#hurry.signal, reaper: this.#options.reaper });
  }
}

/** The processes of services: what descends from them, and their sessions. */
function withServices(services: readonly Service[], all: readonly ProcessEntry[]): Set<number> {
  const sessions = new Set(services.map(({ session }) => session));
  const members = all.filter(({ session }) => sessions.has(session)).map(({ pid }) => pid);
  return withDescendants(members, all);
}

/** PID 1 has the whole namespace to stop, `docker exec` shells included; a subreaper only what descends from it. */
function everyone(processes: readonly ProcessEntry[]): ProcessEntry[] {
  const self = process.pid;
  if (self === 1) return processes.filter(({ pid }) => pid !== self);
  const family = withDescendants([self], processes);
  return processes.filter(({ pid }) => pid !== self && family.has(pid));
}
