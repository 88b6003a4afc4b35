import { setTimeout as sleep } from 'node:timers/promises';
import { processesBeside } from './census.ts';
import type { Random } from './random.ts';

/** Kills the nix-daemon that init keeps, again and again. Those that serve a client go on. */
export class DaemonKiller {
  kills = 0;
  readonly #init: number;
  readonly #random: Random;

  constructor(init: number, random: Random) {
    this.#init = init;
    this.#random = random;
  }

  async run(until: number): Promise<void> {
    while (Date.now() < until) {
      await sleep(Math.min(200 + this.#random.below(3000), Math.max(0, until - Date.now())));
      const daemon = daemonOf(this.#init);
      if (daemon === undefined) continue;
      this.kills += 1;
      process.kill(daemon, this.#random.pick(['SIGKILL', 'SIGTERM', 'SIGSEGV'] as const));
    }
  }
}

export function daemonOf(init: number): number | undefined {
  const processes = processesBeside(init);
  return processes.find(
    ({ parent, name, state }) => parent === init && name === 'nix-daemon' && state !== 'Z',
  )?.pid;
}
