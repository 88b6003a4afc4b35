import { closeSync, openSync } from 'node:fs';
import { closeOnExecPipe } from '../linux/descriptors.ts';
import { spawn } from '../linux/spawn.ts';
import { type Ended, exitCodeOf } from '../linux/wait.ts';
import type { Log } from '../log.ts';
import type { Reaper } from './reaper.ts';

const FIRST_BACKOFF_MS = 100;
const LAST_BACKOFF_MS = 10_000;
const LOUD_AFTER = 5;
/** A daemon that lived this long did not crash at its start: the count begins anew. */
const HEALTHY_MS = 30_000;
const TAIL_LINES = 10;

export type DaemonOptions = {
  path: string;
  args: readonly string[];
  /** The listening socket; it outlives the daemon, so that clients only ever wait. */
  socket: number;
  reaper: Reaper;
  log: Log;
};

/** The delay before the n-th restart in a row, in milliseconds (DESIGN §7.12). */
export function backoffMs(crashes: number): number {
  return Math.min(FIRST_BACKOFF_MS * 2 ** (crashes - 1), LAST_BACKOFF_MS);
}

/** Keeps nix-daemon running by socket activation until it is told to stop. */
export class Daemon {
  readonly #options: DaemonOptions;
  #pid: number | undefined;
  #crashes = 0;
  #restart: NodeJS.Timeout | undefined;
  #stopping = false;
  #tail: string[] = [];

  constructor(options: DaemonOptions) {
    this.#options = options;
  }

  /** Undefined while it is not running. */
  get pid(): number | undefined {
    return this.#pid;
  }

  start(): void {
    const { path, args, socket, reaper } = this.#options;
    const started = performance.now();
    try {
      this.#pid = this.#spawn(path, args, socket);
    } catch (error) {
      this.#crashed(`cannot be started: ${error instanceof Error ? error.message : error}`, started);
      return;
    }
    reaper.exitOf(this.#pid).then((ended) => {
      this.#pid = undefined;
      if (!this.#stopping) this.#crashed(`ended with status ${exitCodeOf(ended)}`, started, ended);
    });
  }

  /** No restarts from here on. */
  retire(): void {
    this.#stopping = true;
    clearTimeout(this.#restart);
  }

  #spawn(path: string, args: readonly string[], socket: number): number {
    const nothing = openSync('/dev/null', 'r');
    const output = closeOnExecPipe();
    try {
      const pid = spawn({
        // sd_listen_fds(3): LISTEN_PID must be the daemon's own, which only a program in its place can know.
        file: '/bin/sh',
        argv: ['sh', '-c', 'LISTEN_PID=$$ exec "$@"', 'sh', path, ...args],
        env: daemonEnvironment(),
        cwd: '/',
        fds: [nothing, output.write, output.write, socket],
      });
      this.#follow(output.read);
      return pid;
    } catch (error) {
      closeSync(output.read);
      throw error;
    } finally {
      closeSync(nothing);
      closeSync(output.write);
    }
  }

  /** Its chatter goes to the debug log; the last lines are kept for the report of a crash. */
  #follow(fd: number): void {
    this.#tail = [];
    // Node's network stack: not before the main command runs.
    const { Socket } = process.getBuiltinModule('node:net');
    const { createInterface } = process.getBuiltinModule('node:readline');
    const lines = createInterface({ input: new Socket({ fd, readable: true, writable: false }) });
    lines.on('line', (line) => {
      this.#options.log.debug('nix-daemon', { line });
      this.#tail = [...this.#tail, line].slice(-TAIL_LINES);
    });
  }

  #crashed(how: string, started: number, ended?: Ended): void {
    const { log } = this.#options;
    this.#crashes = performance.now() - started > HEALTHY_MS ? 1 : this.#crashes + 1;
    const delay = backoffMs(this.#crashes);
    log.info(`nix-daemon ${how}, starting it again`, { crashes: this.#crashes, delay, ...ended });
    if (this.#crashes === LOUD_AFTER) {
      log.error(`nix-daemon ${how}, ${LOUD_AFTER} times in a row; still trying`, { output: this.#tail });
    }
    this.#restart = setTimeout(() => this.start(), delay);
  }
}

/**
 * init's environment, less what would turn the daemon into a client of itself or into a service of someone else's,
 * plus the announcement of its one socket (through Nix 2.33 it must be exactly one).
 */
function daemonEnvironment(): string[] {
  const { NIX_REMOTE, LISTEN_FDNAMES, NOTIFY_SOCKET, ...rest } = process.env;
  const env = { HOME: '/root', ...rest, LISTEN_FDS: '1' };
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}
