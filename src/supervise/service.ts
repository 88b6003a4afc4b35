import type { Restart } from '../config/services.ts';
import { uptime } from '../linux/clock.ts';
import { asIdentity } from '../linux/credentials.ts';
import { sendSignal } from '../linux/process.ts';
import { spawn } from '../linux/spawn.ts';
import { type Ended, exitCodeOf } from '../linux/wait.ts';
import type { Log } from '../log.ts';
import { backoffMs, nextInRow } from './backoff.ts';
import type { Chatter } from './chatter.ts';
import { personalVariables } from './identity.ts';
import { withListenPid } from './listen-pid.ts';
import type { Person } from './privileges.ts';
import type { Readiness } from './ready/readiness.ts';
import type { Reaper } from './reaper.ts';
import { startDescriptors } from './start-descriptors.ts';
import { startTimer } from './timer.ts';

const LOUD_AFTER = 5;

export type ServiceDefinition = {
  name: string;
  command: string;
  args: readonly string[];
  /** Over init's own environment; undefined takes a variable away. */
  env: Readonly<Record<string, string | undefined>>;
  /** init's own without it. */
  person?: Person | undefined;
  restart: Restart;
  /** Asks its main process to end. */
  stopSignal: NodeJS.Signals;
  /** The listening socket; it outlives the service, so that clients only ever wait. */
  socket?: number | undefined;
  /** Without it, it is ready once started. */
  readiness?: Readiness | undefined;
  /** Where its output goes; without it to init's stderr. */
  chatter?: Chatter | undefined;
};

/** Keeps one program running beside the main command, until it is told to stop. */
export class Service {
  readonly definition: ServiceDefinition;
  readonly #reaper: Reaper;
  readonly #log: Log;
  readonly #over = Promise.withResolvers<void>();
  #pid: number | undefined;
  #session: number | undefined;
  #crashes = 0;
  #restart: NodeJS.Timeout | undefined;
  #stopping = false;
  #since: number | undefined;
  #starts = 0;
  /** Somebody's who asked for a restart, until it has come. */
  #asked: PromiseWithResolvers<void> | undefined;

  constructor(definition: ServiceDefinition, reaper: Reaper, log: Log) {
    this.definition = definition;
    this.#reaper = reaper;
    this.#log = log;
  }

  /** Its main process; undefined while that does not run. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** The session of its last start, which may live on in other processes. */
  get session(): number | undefined {
    return this.#session;
  }

  get state(): 'running' | 'waiting' | 'ended' {
    if (this.#pid !== undefined) return 'running';
    return this.#restart === undefined ? 'ended' : 'waiting';
  }

  /** Of its last start, in milliseconds since the epoch. */
  get since(): number | undefined {
    return this.#since;
  }

  get restarts(): number {
    return Math.max(0, this.#starts - 1);
  }

  /** Resolves when it has ended and will not be started again. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  start(): void {
    const started = uptime();
    this.#restart = undefined;
    try {
      this.#pid = this.#spawn();
      this.#since = Date.now();
      this.#starts += 1;
    } catch (error) {
      this.#cannotStart(error);
      return;
    }
    this.#session = this.#pid;
    this.#reaper.exitOf(this.#pid).then((ended) => {
      this.#pid = undefined;
      if (this.#stopping) this.#asked?.resolve();
      else if (this.#asked !== undefined) this.#startAsAsked();
      else this.#ended(ended, uptime() - started);
    });
  }

  /**
   * Ends it, with KILL if it takes too long, and starts it at once: that is no crash. One that waits for its next start, or has
   * ended for good, is started.
   * @param graceMs how long it may take to end.
   * @returns when it was started, or could not be, or everything is to stop.
   */
  async restart(graceMs: number): Promise<void> {
    if (this.#stopping) return;
    if (this.#pid === undefined) {
      this.#startAsAsked();
      return;
    }
    this.#asked ??= Promise.withResolvers();
    sendSignal(this.#pid, this.definition.stopSignal);
    const { pid } = this;
    const kill = startTimer(() => {
      if (pid === this.#pid && pid !== undefined) sendSignal(pid, 'SIGKILL');
    }, graceMs);
    await this.#asked.promise;
    clearTimeout(kill);
  }

  #startAsAsked(): void {
    clearTimeout(this.#restart);
    this.#crashes = 0;
    this.start();
    this.#asked?.resolve();
    this.#asked = undefined;
  }

  /** No restarts from here on. */
  retire(): void {
    this.#stopping = true;
    clearTimeout(this.#restart);
  }

  #spawn(): number {
    const { command, args, socket, person } = this.definition;
    const argv = [command, ...args];
    const [file = command, ...rest] = socket === undefined ? argv : withListenPid(argv);
    using opened = new DisposableStack();
    const fds = startDescriptors(this.definition, opened);
    const env = serviceEnvironment(this.definition);
    const start = (): number => spawn({ file, argv: [file, ...rest], env, cwd: '/', fds, session: true });
    return person?.become === undefined ? start() : asIdentity(person.become, start);
  }

  #cannotStart(error: unknown): void {
    const how = `cannot be started: ${error instanceof Error ? error.message : error}`;
    if (this.#crashes === 0) this.#log.error(`service ${this.definition.name} ${how}`);
    if (this.definition.restart === 'never') this.#over.resolve();
    else this.#startAgain(how, 0);
  }

  #ended(ended: Ended, uptimeMs: number): void {
    const { name, restart } = this.definition;
    const status = exitCodeOf(ended);
    const how = `ended with status ${status}`;
    if (restart === 'always' || (restart === 'on-failure' && status !== 0)) {
      this.#startAgain(how, uptimeMs);
      return;
    }
    this.#log[status === 0 ? 'info' : 'warn'](`service ${name} ${how} and stays ended`, { restart });
    this.#over.resolve();
  }

  #startAgain(how: string, uptimeMs: number): void {
    const { name, chatter } = this.definition;
    this.#crashes = nextInRow(this.#crashes, uptimeMs);
    const delay = backoffMs(this.#crashes);
    this.#log.info(`service ${name} ${how}, starting it again`, { crashes: this.#crashes, delay });
    if (this.#crashes === LOUD_AFTER) {
      const output = chatter && { output: chatter.tail };
      this.#log.error(`service ${name} ${how}, ${LOUD_AFTER} times in a row; still trying`, output);
    }
    this.#restart = setTimeout(() => this.start(), delay);
  }
}

/** init's environment, less what makes a process a service of someone else's, plus what is this service's own. */
function serviceEnvironment({ env, socket, readiness, person }: ServiceDefinition): string[] {
  const { LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES, NOTIFY_SOCKET, ...inherited } = process.env;
  const announced = socket === undefined ? {} : { LISTEN_FDS: '1' };
  const personal = person && personalVariables(person.user, (name) => inherited[name] !== undefined);
  const all = { ...inherited, ...personal, ...env, ...readiness?.env, ...announced };
  return Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
}
