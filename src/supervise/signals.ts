import { beforeNode } from '../linux/before-node.ts';
import { forwardedSignals, initMask, setMainThreadMask, signalNumber } from '../linux/signals.ts';

export type SignalHandler = (signal: NodeJS.Signals) => void;

/** The signals by which people and engines ask a program to end. */
const ending: ReadonlySet<NodeJS.Signals> = new Set(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP']);

/**
 * Catches every signal that can be caught: PID 1 ignores those without a handler (pid_namespaces(7)). Until a main command
 * runs, a signal that asks to end aborts the boot; the others stay blocked, as they were from our first instruction on
 * (src/native), and wait for the command in the kernel: handlers for them take their time.
 */
export class SignalInbox {
  readonly #boot = new AbortController();
  /** As nohup(1) has it: whoever started us wants these to mean nothing. */
  readonly #ignored = new Set(beforeNode.ignored);
  readonly #translate: (signal: NodeJS.Signals) => NodeJS.Signals;
  readonly #waiting: ReadonlyMap<number, NodeJS.Signals>;
  readonly #kept: NodeJS.Signals[] = [];
  #handler: SignalHandler = (signal) => {
    if (ending.has(signal) && !this.#ignored.has(signalNumber(signal)))
      this.#boot.abort(new BootInterrupted(signal));
    else this.#kept.push(signal);
  };

  /** @param translate what a signal means here, if another than itself. */
  constructor(translate: (signal: NodeJS.Signals) => NodeJS.Signals = (signal) => signal) {
    this.#translate = translate;
    // What the main thread always blocks other threads let in: without a handler it would stop us.
    const { atOnce = [], others = [] } = Object.groupBy(forwardedSignals, ([number, name]) =>
      ending.has(name) || initMask.includes(number) ? 'atOnce' : 'others',
    );
    this.#waiting = new Map(others);
    this.#letIn(new Map(atOnce), [...initMask, ...this.#waiting.keys()]);
  }

  /** @param blocked what is not let in, or not here (src/native/syscall.h). */
  #letIn(signals: ReadonlyMap<number, NodeJS.Signals>, blocked: readonly number[]): void {
    for (const name of signals.values()) process.on(name, (signal) => this.#handler(this.#translate(signal)));
    setMainThreadMask(blocked);
  }

  /** Aborted with a `BootInterrupted` by a signal that asks to end. */
  get boot(): AbortSignal {
    return this.#boot.signal;
  }

  /** From now on signals go to `handler`, beginning with those that came during the boot. */
  deliverTo(handler: SignalHandler): void {
    this.#handler = handler;
    for (const signal of this.#kept.splice(0)) handler(signal);
    this.#letIn(this.#waiting, initMask);
  }
}

/** A boot that a signal ended. The exit status is that of a program which the signal killed. */
export class BootInterrupted extends Error {
  override readonly name = 'BootInterrupted';
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals) {
    super(`the boot was ended by ${signal}`);
    this.exitCode = 128 + signalNumber(signal);
  }
}
