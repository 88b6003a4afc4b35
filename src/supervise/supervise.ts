import { closeSync } from 'node:fs';
import type { Config } from '../config/keys.ts';
import { sendSignal } from '../linux/process.ts';
import { foregroundTerminal, reclaimTerminal } from '../linux/terminal.ts';
import { type Ended, exitCodeOf } from '../linux/wait.ts';
import type { Log } from '../log.ts';
import { Daemon } from './daemon.ts';
import { startMainCommand } from './main-command.ts';
import type { Privileges } from './privileges.ts';
import type { Reaper } from './reaper.ts';
import { Shutdown } from './shutdown.ts';
import type { SignalInbox } from './signals.ts';

export type SuperviseOptions = {
  /** Empty: no main command, only the daemon, until told to stop. */
  command: readonly string[];
  /** For the main command: a path, or a descriptor of the directory. */
  cwd: string | number;
  /** Descriptors above 2 that init was given for the main command. */
  inherited: readonly number[];
  privileges: Privileges;
  config: Config;
  log: Log;
  reaper: Reaper;
  inbox: SignalInbox;
  daemon: { path: string; socket: number } | undefined;
};

/**
 * Runs the main command and the daemon until the end, and stops whatever is left.
 * @returns the exit code for init.
 * @throws {InitError} 126 or 127 when the main command cannot be started; nothing runs then.
 */
export async function supervise(options: SuperviseOptions): Promise<number> {
  const { command, cwd, inherited, privileges, config, log, reaper, inbox } = options;
  const terminal = command.length > 0 ? foregroundTerminal() : undefined;
  const main =
    command.length > 0
      ? startMainCommand({ argv: command, cwd, inherited, terminal, privileges })
      : undefined;
  const mainEnded = main === undefined ? undefined : reaper.exitOf(main);
  // Only the command's from here on: a pipe of which init kept an end would never close.
  for (const fd of inherited) closeSync(fd);
  if (typeof cwd === 'number') closeSync(cwd);

  const daemon =
    options.daemon && new Daemon({ ...options.daemon, args: config['daemon.args'], reaper, log });
  const { processGroup } = config;
  const shutdown = new Shutdown({
    main,
    processGroup,
    daemon,
    graceMs: config['shutdown.grace'],
    reaper,
    log,
  });
  inbox.deliverTo((signal) => {
    if (main !== undefined) forward(signal, main, processGroup);
    shutdown.consider(signal);
  });
  daemon?.start();

  const ended = await (mainEnded ?? shutdown.requested);
  await shutdown.finish();
  if (terminal !== undefined) reclaimTerminal(terminal);
  return ended === undefined ? 0 : remap(ended, config.exitCodes);
}

/** Signals the whole group, so that a shell's children are reached too; once, as received. */
function forward(signal: NodeJS.Signals, main: number, group: boolean): void {
  sendSignal(group ? -main : main, signal);
  // A stopped process acts on TERM only after CONT.
  if (signal === 'SIGTERM') sendSignal(group ? -main : main, 'SIGCONT');
}

function remap(ended: Ended, codes: Readonly<Record<string, number>>): number {
  const code = exitCodeOf(ended);
  return codes[String(code)] ?? code;
}
