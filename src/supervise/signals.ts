import { readFileSync } from 'node:fs';
import { errnoOf } from '../errors.ts';
import { forwardedSignals, hasHandler, setMainThreadMask, signalNumber } from '../linux/signals.ts';

export type SignalHandler = (signal: NodeJS.Signals) => void;

/** The signals by which people and engines ask a program to end. */
const ending: ReadonlySet<NodeJS.Signals> = new Set(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP']);

/**
 * Catches every signal that can be caught, from the first line of init on: PID 1 ignores those without a handler
 * (pid_namespaces(7)). Until a main command runs, a signal that asks to end aborts the boot and others are kept for it.
 */
export class SignalInbox {
  readonly #boot = new AbortController();
  readonly #kept: NodeJS.Signals[] = [];
  #handler: SignalHandler = (signal) => {
    if (ending.has(signal)) this.#boot.abort(new BootInterrupted(signal));
    else this.#kept.push(signal);
  };

  constructor() {
    for (const signal of receivedByNode()) this.#handler(signal);
    for (const name of forwardedSignals.values()) process.on(name, (signal) => this.#handler(signal));
    // With --disable-sigusr1 Node leaves SIGUSR1 blocked. SIGTTOU is caught by the other threads and blocked in this
    // one, so that writing to a terminal with TOSTOP set, or taking it back, never stops init (termios(3)).
    setMainThreadMask([signalNumber('SIGTTOU')]);
  }

  /** Aborted with a `BootInterrupted` by a signal that asks to end. */
  get boot(): AbortSignal {
    return this.#boot.signal;
  }

  /** From now on signals go to `handler`, beginning with those that came during the boot. */
  deliverTo(handler: SignalHandler): void {
    this.#handler = handler;
    for (const signal of this.#kept.splice(0)) handler(signal);
  }
}

/**
 * The signals that Node received before our first line. It catches these two early, once each, to restore the terminal
 * before it dies of them; PID 1 does not die of them, so all that is left is that the handler is gone.
 */
function receivedByNode(): NodeJS.Signals[] {
  try {
    const status = readFileSync('/proc/self/status', 'latin1');
    return (['SIGTERM', 'SIGINT'] as const).filter((name) => !hasHandler(status, signalNumber(name)));
  } catch (error) {
    // Without /proc nothing is known, and nothing else of this will work either.
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
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
