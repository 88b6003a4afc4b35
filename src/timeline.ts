import { uptime } from './linux/clock.ts';
/** What a boot spends its time on, one after the other; `refused` is a strategy that was tried and could not be had. */
export type PhaseName =
  | 'node'
  | 'program'
  | 'configuration'
  | 'facts'
  | 'refused'
  | 'strategy'
  | 'steps'
  | 'services'
  | 'command';

/** In milliseconds since Node began. */
export type Span = { start: number; ms: number };

/** What boot.json says of times, beside how long each step took. */
export type Times = {
  /** When Node began, in milliseconds since 1970. */
  origin: number;
  phases: ({ name: PhaseName; detail?: string } & Span)[];
  /** When each step began. */
  steps: number[];
  /** Services that the command had to wait for. */
  services: ({ name: string; outcome: string } & Span)[];
};

type Lap = { name: PhaseName; detail?: string; end: number };

/** To the microsecond. */
const rounded = (ms: number): number => Math.round(ms * 1000) / 1000;

/** Where the time of a boot goes. It reads the clock and nothing else: `analyze` makes something of it, later. */
export class Timeline {
  readonly #laps: Lap[] = [];
  readonly #services: Times['services'] = [];
  readonly #began = uptime();
  readonly #loading: number;

  /** @param loading when Node was done, and began to load this program. */
  constructor(loading: number) {
    this.#loading = loading;
  }

  /** A phase ends, and the next begins. */
  ended(name: PhaseName, detail?: string): void {
    this.#laps.push({ name, end: uptime(), ...(detail !== undefined && { detail }) });
  }

  /** @param started on the clock of uptime(). */
  service(name: string, outcome: string, started: number): void {
    this.#services.push({ name, outcome, start: rounded(started), ms: rounded(uptime() - started) });
  }

  /** @param steps when each began. */
  times(steps: readonly number[]): Times {
    const laps: Lap[] = [
      { name: 'node', end: this.#loading },
      { name: 'program', end: this.#began },
      ...this.#laps,
    ];
    const phases = laps.map(({ end, ...lap }, index) => {
      const start = laps[index - 1]?.end ?? 0;
      return { ...lap, start: rounded(start), ms: rounded(end - start) };
    });
    return {
      origin: rounded(Date.now() - uptime()),
      phases,
      steps: steps.map(rounded),
      services: this.#services,
    };
  }
}
