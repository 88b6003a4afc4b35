import { closeSync, constants, openSync } from 'node:fs';
import { errnoOf, hasErrno } from '../errors.ts';
import { makeDirectories } from '../linux/directories.ts';
import { tryLock } from '../linux/flock.ts';
import { removeFile } from '../linux/remove.ts';
import { isListening, listenUnix } from '../linux/socket.ts';
import type { Log } from '../log.ts';
import { runDir, runLayout } from '../store/run-layout.ts';
import type { Handlers } from './handlers.ts';
import { serveControl } from './server.ts';

/** When to begin to answer: a command that is over at once need not pay for Node's network stack. */
const SERVE_AFTER_MS = 50;

/** The control socket of one boot: bound before the command runs, so that who asks early waits; served from then on. */
export class Control {
  readonly #listening: number;
  #timer: NodeJS.Timeout | undefined;
  #end: (() => void) | undefined;

  constructor(listening: number) {
    this.#listening = listening;
  }

  /** To be called when the command runs. */
  serve(handlers: Handlers): void {
    this.#timer = setTimeout(() => {
      this.#end = serveControl(this.#listening, handlers);
    }, SERVE_AFTER_MS);
  }

  close(): void {
    clearTimeout(this.#timer);
    // First, while we answer: once nobody does, another init may have its own there.
    removeFile(runLayout.control);
    if (this.#end === undefined) closeSync(this.#listening);
    else this.#end();
  }
}

/** @returns undefined where there cannot be one, which is no reason not to boot. */
export function openControl(log: Log): Control | undefined {
  const path = runLayout.control;
  try {
    makeDirectories(runDir);
    const listening = listenAlone(path);
    if (listening !== undefined) return new Control(listening);
    // As where /init runs a program inside of a container whose PID 1 it is, too.
    log.info(`another init answers at ${path}: this one cannot be asked`);
  } catch (error) {
    log.info('there is no control socket', { path, errno: errnoOf(error) });
  }
  return undefined;
}

/**
 * Locked, for between bind(2) and listen(2) a socket looks like one that a killed init left. Nobody waits for the lock: who
 * has it is about to answer.
 * @returns undefined when somebody answers there, or soon will.
 */
function listenAlone(path: string): number | undefined {
  const directory = openSync(runDir, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return tryLock(directory) ? listenAnew(path) : undefined;
  } finally {
    closeSync(directory);
  }
}

function listenAnew(path: string): number | undefined {
  try {
    return listenUnix(path, 0o600);
  } catch (error) {
    if (!hasErrno(error, 'EADDRINUSE')) throw error;
    if (isListening(path)) return undefined;
    // What an init that was killed left.
    removeFile(path);
    return listenUnix(path, 0o600);
  }
}
