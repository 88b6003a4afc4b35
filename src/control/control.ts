import { closeSync } from 'node:fs';
import { errnoOf, hasErrno } from '../errors.ts';
import { makeDirectories } from '../linux/directories.ts';
import { removeFile } from '../linux/remove.ts';
import { isListening, listenUnix } from '../linux/socket.ts';
import type { Log } from '../log.ts';
import { runDir, runLayout } from '../store/run-layout.ts';
import type { Handlers } from './handlers.ts';

/** When to begin to answer: a command that is over at once need not pay for Node's network stack. */
const SERVE_AFTER_MS = 50;

/** The control socket of one boot: bound before the command runs, so that who asks early waits; served from then on. */
export class Control {
  readonly #listening: number;
  #timer: NodeJS.Timeout | undefined;
  #end: (() => void) | undefined;
  #closed = false;

  constructor(listening: number) {
    this.#listening = listening;
  }

  /** To be called when the command runs. */
  serve(handlers: Handlers): void {
    this.#timer = setTimeout(async () => {
      const { serveControl } = await import('./server.ts');
      if (!this.#closed) this.#end = serveControl(this.#listening, handlers);
    }, SERVE_AFTER_MS);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    if (this.#end === undefined) closeSync(this.#listening);
    else this.#end();
    removeFile(runLayout.control);
  }
}

/** @returns undefined where there cannot be one, which is no reason not to boot. */
export function openControl(log: Log): Control | undefined {
  const path = runLayout.control;
  try {
    makeDirectories(runDir);
    return new Control(listenAnew(path));
  } catch (error) {
    // As where /init runs a program inside of a container whose PID 1 it is, too.
    if (hasErrno(error, 'EADDRINUSE')) log.info(`another init answers at ${path}: this one cannot be asked`);
    else log.info('there is no control socket', { path, errno: errnoOf(error) });
    return undefined;
  }
}

/** @throws {SystemError} EADDRINUSE when somebody answers there. */
function listenAnew(path: string): number {
  try {
    return listenUnix(path, 0o600);
  } catch (error) {
    if (!hasErrno(error, 'EADDRINUSE')) throw error;
    if (isListening(path)) throw error;
    // What an init that was killed left.
    removeFile(path);
    return listenUnix(path, 0o600);
  }
}
