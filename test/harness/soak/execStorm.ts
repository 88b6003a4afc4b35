import { setTimeout as sleep } from 'node:timers/promises';
import type { Container } from '../container.ts';
import type { DaemonKiller } from './daemonKiller.ts';
import type { Random } from './random.ts';

const AT_ONCE = 5;

interface Exec {
  command: string[];
  flags?: string[];
  status: number;
  stdout?: RegExp;
  /** It may fail if the daemon was killed meanwhile, and then not again and again. */
  asksDaemon?: boolean;
}

const alice = ['--user', 'alice', '-e', 'NIX_REMOTE=daemon'];

/** Leaves some orphans behind, half of them in sessions of their own, that end after the `docker exec`. */
const leave = `use POSIX (); use Time::HiRes "usleep";
for my $n (1 .. 20) { fork() and next; POSIX::setsid() if $n % 2; close $_ for *STDOUT, *STDERR; usleep rand 100_000; POSIX::_exit(5); }
POSIX::_exit(shift);`;

/** `docker exec` several at a time, and whether each did what it had to. */
export class ExecStorm {
  runs = 0;
  builds = 0;
  queries = 0;
  readonly faults: string[] = [];
  readonly #container: Container;
  readonly #killer: DaemonKiller;
  readonly #random: Random;
  readonly #path: string;

  /** @param path a store path to ask Nix for. */
  constructor(container: Container, killer: DaemonKiller, random: Random, path: string) {
    this.#container = container;
    this.#killer = killer;
    this.#random = random;
    this.#path = path;
  }

  async run(until: number): Promise<void> {
    while (Date.now() < until) {
      await Promise.all(Array.from({ length: AT_ONCE }, () => this.#attempt(this.#choose())));
      await sleep(this.#random.below(300));
    }
  }

  #choose(): Exec {
    const status = this.#random.integer(126);
    switch (this.#random.integer(6)) {
      case 0:
        return { command: ['sh', '-c', `exit ${status}`], status };
      case 1:
        return { command: ['sh', '-c', 'kill -TERM $$; sleep 9'], status: 143 };
      case 2:
        return { command: ['perl', '-e', leave, `${status}`], status };
      case 3:
        return { command: ['sh', '-c', `(setsid sleep 0.1 &) ; (sleep 0.05 &) ; exit ${status}`], status };
      case 4:
        this.queries += 1;
        return {
          command: ['nix-store', '--query', '--hash', this.#path],
          flags: alice,
          status: 0,
          stdout: /^sha256:/,
          asksDaemon: true,
        };
      default:
        return this.#build();
    }
  }

  #build(): Exec {
    this.builds += 1;
    const name = `soak-${this.builds}`;
    const shell = `builder = "/bin/busybox"; args = [ "sh" "-c" "echo ${name} > $out" ]`;
    const expression = `derivation { name = "${name}"; system = builtins.currentSystem; ${shell}; }`;
    return {
      command: ['nix-build', '--no-out-link', '--expr', expression],
      flags: alice,
      status: 0,
      stdout: new RegExp(`^/nix/store/\\w{32}-${name}$`),
      asksDaemon: true,
    };
  }

  async #attempt({ command, flags = [], status, stdout, asksDaemon = false }: Exec): Promise<void> {
    for (let tries = asksDaemon ? 3 : 1; tries > 0; tries -= 1) {
      const { kills } = this.#killer;
      const outcome = await this.#container.exec(command, ...flags);
      this.runs += 1;
      if (outcome.exitCode === status && (stdout === undefined || stdout.test(outcome.stdout))) return;
      if (tries > 1 && this.#killer.kills > kills) continue;
      this.faults.push(
        `${command.join(' ')}: ${outcome.exitCode} instead of ${status}: ${outcome.stdout} ${outcome.stderr}`,
      );
      return;
    }
  }
}
