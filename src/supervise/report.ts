import { uptime } from '../linux/clock.ts';
import type { Log } from '../log.ts';
import type { Killed } from './stop.ts';

/** The phases of a shutdown that processes end in; `leftovers` are those of services. */
export type Phase = 'command' | 'others' | 'leftovers';

/** To the microsecond. */
const rounded = (ms: number): number => Math.round(ms * 1000) / 1000;

/** What a shutdown took, phase by phase, and who had to be killed: for its one line in the log. */
export class ShutdownReport {
  readonly #phases: Record<Phase, number> = { command: 0, others: 0, leftovers: 0 };
  readonly #services: Record<string, number> = {};
  readonly #killed: (Killed & { phase: string })[] = [];
  #start: number | undefined;
  #lap = 0;

  /** @param at on the clock of uptime(); only the first call counts. */
  begin(at: number): void {
    if (this.#start !== undefined) return;
    this.#start = at;
    this.#lap = at;
  }

  /** A phase ends, and the next begins. */
  ended(phase: Phase): void {
    this.#phases[phase] = this.#lapTime();
  }

  serviceEnded(name: string): void {
    this.#services[name] = this.#lapTime();
  }

  /** @param phase a phase, or the name of a service. */
  killed(processes: readonly Killed[], phase: string): void {
    this.#killed.push(...processes.map(({ pid, name }) => ({ pid, name, phase })));
  }

  /** Call when everything is unmounted. A boot that never ran anything has no shutdown to report. */
  write(log: Log): void {
    if (this.#start === undefined) return;
    const { command, others, leftovers } = this.#phases;
    const unmount = this.#lapTime();
    log.info('shutdown', {
      ms: rounded(this.#lap - this.#start),
      phases: { command, others, services: this.#services, leftovers, unmount },
      killed: this.#killed,
    });
  }

  #lapTime(): number {
    const before = this.#lap;
    this.#lap = uptime();
    return rounded(this.#lap - before);
  }
}
