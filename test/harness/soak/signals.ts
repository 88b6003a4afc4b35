import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { alsoCounted, counted, type Load } from './load.ts';
import type { Random } from './random.ts';

/** Sent several at once, which the kernel may make one of; the others one at a time, which it may not. */
const IN_BURSTS = 'SIGURG';
const oneByOne = [...counted, ...alsoCounted].filter((name) => name !== IN_BURSTS);
const LOST_MS = 10_000;
/** Of a CONT and one of these the kernel drops whichever is still pending when the other comes (signal(7)). */
const stops: readonly NodeJS.Signals[] = ['SIGTSTP', 'SIGTTIN'];

/** Sends init signals at random and compares with what its main command counts. */
export class SignalStorm {
  readonly #sent = new Map<NodeJS.Signals, { times: number; last: number }>();
  #bursts = 0;
  #inBursts = 0;
  #before = 0;
  readonly #init: number;
  readonly #load: Load;
  readonly #random: Random;

  constructor(init: number, load: Load, random: Random) {
    this.#init = init;
    this.#load = load;
    this.#random = random;
  }

  get sent(): number {
    return this.#inBursts + [...this.#sent.values()].reduce((sum, { times }) => sum + times, 0);
  }

  async run(until: number): Promise<void> {
    while (Date.now() < until) {
      if (this.#random.below(1) < 0.05) this.#burst();
      else this.#one(this.#random.pick(oneByOne));
      await sleep(this.#random.below(8));
    }
  }

  /** Waits until all have been counted that must be. @throws when one was lost, or came twice. */
  async settle(): Promise<void> {
    for (const name of oneByOne) while (this.#isUnderWay(name)) await sleep(5);
    const deadline = Date.now() + LOST_MS;
    while (this.#inBursts > 0 && this.#counted(IN_BURSTS) === this.#before && Date.now() < deadline)
      await sleep(5);
    const bursts = this.#counted(IN_BURSTS);
    if (bursts < this.#bursts || bursts > this.#inBursts)
      throw new Error(`${bursts} of ${this.#inBursts} ${IN_BURSTS} in ${this.#bursts} bursts`);
  }

  #one(name: NodeJS.Signals): void {
    const opposite = name === 'SIGCONT' ? stops : stops.includes(name) ? ['SIGCONT' as const] : [];
    if ([name, ...opposite].some((other) => this.#isUnderWay(other))) return;
    this.#sent.set(name, { times: (this.#sent.get(name)?.times ?? 0) + 1, last: Date.now() });
    process.kill(this.#init, name);
  }

  /** Every burst is counted at least once: the next one waits for that. */
  #burst(): void {
    if (this.#inBursts > 0 && this.#counted(IN_BURSTS) === this.#before) return;
    this.#before = this.#counted(IN_BURSTS);
    this.#bursts += 1;
    for (let left = 1 + this.#random.integer(8); left > 0; left -= 1) {
      this.#inBursts += 1;
      process.kill(this.#init, IN_BURSTS);
    }
  }

  #isUnderWay(name: NodeJS.Signals): boolean {
    const { times, last } = this.#sent.get(name) ?? { times: 0, last: 0 };
    const counted = this.#counted(name);
    if (counted > times || (counted < times && Date.now() - last > LOST_MS))
      throw new Error(`${times} ${name} sent, ${counted} counted`);
    return counted < times;
  }

  #counted(name: NodeJS.Signals): number {
    return this.#load.signals(constants.signals[name]);
  }
}
