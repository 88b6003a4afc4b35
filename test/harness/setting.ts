import type { Following } from './following.ts';
import type { Outcome } from './run.ts';
import type { Script } from './script.ts';

export type SettingName = 'pid1' | 'subreaper' | 'docker';

export interface SettingBoot {
  /** Options of /init. */
  flags?: string[];
  env?: Record<string, string>;
  /** A shell snippet that becomes init, `"$@"`: what surrounds it. */
  via?: string;
  /** A program that runs the command in the place of init, for what would happen without it; none at all if empty. */
  instead?: string[];
  /** What can be read from standard input; without it that is /dev/null. */
  input?: string;
  /** Further options of `docker run`. */
  docker?: string[];
}

/** An init that runs, with its command. */
export interface Running extends Omit<Following, 'child'>, AsyncDisposable {
  /** Sends init a signal from outside of its PID namespace. */
  signal(signal: number): Promise<void>;
  /** init by its number out here. */
  pid(): Promise<number>;
}

export type SettingTerminal = Omit<Script, 'child'> & AsyncDisposable;

/** One of the ways in which init can come to run a command, with strategy none. */
export interface Setting {
  readonly name: SettingName;
  /** Boots and leaves it running; killed at the end of the block, if it still is. */
  start(command: readonly string[], boot?: SettingBoot): Promise<Running>;
  /** Boots and waits for the end. */
  run(command: readonly string[], boot?: SettingBoot): Promise<Outcome>;
  /** Boots in a real terminal. */
  terminal(command: readonly string[], boot?: SettingBoot): Promise<SettingTerminal>;
}

/** What a suite of cases shares of a setting. */
export interface OpenSetting extends Setting, AsyncDisposable {}

/** All that is started: through `via`, if any, what comes in the place of init, and the command. */
export function startedWords(
  command: readonly string[],
  { flags = [], instead, via }: SettingBoot,
): string[] {
  const init = instead ?? ['/init', '--strategy', 'none', ...flags, '--'];
  return [...(via === undefined ? [] : ['sh', '-c', via, 'sh']), ...init, ...command];
}

/** A setting's `run`, by way of its `start`. */
export async function runToEnd(starting: Promise<Running>): Promise<Outcome> {
  await using running = await starting;
  return await running.ended;
}
