import { detachTracee } from '../linux/ptrace.ts';
import { signalNumber } from '../linux/signals.ts';
import { type Ended, type Stopped, waitForOne } from '../linux/wait.ts';

/**
 * The one place that waits for processes. SIGCHLD coalesces (fifty exits can be one signal), so each one is an
 * occasion to reap everything there is; whoever nobody asked about was an orphan.
 */
export class Reaper {
  readonly #waiting = new Map<number, (ended: Ended) => void>();
  readonly #onReap = new Set<() => void>();
  #reaped = 0;
  #onStop: (stopped: Stopped) => void = () => {};
  readonly #sweep = (): void => this.sweep();

  /** How many processes were reaped. */
  get reaped(): number {
    return this.#reaped;
  }

  /** Starts reaping; children that an earlier program of this PID left are taken at once. */
  start(): void {
    process.on('SIGCHLD', this.#sweep);
    this.sweep();
  }

  /**
   * Tells how a child ended. Call it in the same turn of the event loop that spawned the child: exits are only
   * looked at in a later one, so none can be missed.
   */
  exitOf(pid: number): Promise<Ended> {
    return new Promise((resolve) => this.#waiting.set(pid, resolve));
  }

  /** Calls back whenever processes were reaped, until the returned function is called. */
  onReap(listener: () => void): () => void {
    this.#onReap.add(listener);
    return () => this.#onReap.delete(listener);
  }

  /** Calls back when a child was stopped, by job control or otherwise. */
  onStop(listener: (stopped: Stopped) => void): void {
    this.#onStop = listener;
  }

  sweep(): void {
    let reaped = false;
    for (let change = waitForOne(); change !== undefined; change = waitForOne()) {
      if ('stopped' in change) {
        // SIGTRAP is how the kernel tells a tracer of an exec; nobody meant it for the child.
        const meant = change.stopped === signalNumber('SIGTRAP') ? 0 : change.stopped;
        if (!detachTracee(change.pid, meant)) this.#onStop(change);
        continue;
      }
      reaped = true;
      this.#reaped += 1;
      const resolve = this.#waiting.get(change.pid);
      this.#waiting.delete(change.pid);
      resolve?.(change);
    }
    if (reaped) for (const listener of [...this.#onReap]) listener();
  }
}
