import { closeSync } from 'node:fs';
import { sendSignal } from '../linux/process.ts';
import { foregroundTerminal, reclaimTerminal } from '../linux/terminal.ts';
import { type Ended, exitCodeOf } from '../linux/wait.ts';
import type { Timeline } from '../timeline.ts';
import { beginBeside } from './beside.ts';
import type { Companion } from './companion.ts';
import { startMainCommand } from './main-command.ts';
import type { ShutdownReport } from './report.ts';
import type { Service } from './service.ts';
import { makeServices, type ServicesOptions } from './services.ts';
import { Shutdown } from './shutdown.ts';
import type { SignalInbox } from './signals.ts';
import { Suspension } from './suspend.ts';
import { startTimer } from './timer.ts';

/** When to start nix-daemon: a command that is over at once need not pay for it, nor wait for its end. */
const DAEMON_AFTER_MS = 2;

export type SuperviseOptions = ServicesOptions & {
  /** Empty: no main command, only the services, until told to stop. */
  command: readonly string[];
  /** For the main command: a path, or a descriptor of the directory. */
  cwd: string | number;
  /** Descriptors above 2 that init was given for the main command. */
  inherited: readonly number[];
  inbox: SignalInbox;
  /** What can wait until the command runs. */
  whenRunning: readonly ((running: Running) => void)[];
  /** What goes on beside the command and has to come to an end. */
  companions: readonly Companion[];
  report: ShutdownReport;
  timeline: Timeline;
};

/** What is there to be seen and steered from then on. */
export type Running = {
  /** Its PID; undefined: there is no command. */
  main: number | undefined;
  services: readonly Service[];
  /** Whether everything is to end. */
  stopping: () => boolean;
};

/**
 * Runs the services and the main command until the end, and stops whatever is left.
 * @returns the exit code for init.
 * @throws {InitError} 126 or 127 when the main command cannot be started; {BootInterrupted} when a signal came before
 * that. Nothing runs then.
 */
export async function supervise(options: SuperviseOptions): Promise<number> {
  const { command, cwd, inherited, privileges, config, log, reaper, inbox, report, companions, timeline } =
    options;
  const { processGroup } = config;
  const services = await makeServices(options);
  const shutdownOf = (main: number | undefined): Shutdown =>
    new Shutdown({ main, processGroup, services, graceMs: config['shutdown.grace'], reaper, report });
  // nix-daemon alone delays nobody: its clients wait at its socket. Other services may need it, and the command them.
  const before = Object.keys(config.services).length > 0;
  const terminal = command.length > 0 ? foregroundTerminal() : undefined;
  let main: number | undefined;
  try {
    if (before) {
      const { startServices } = await import('./start-services.ts');
      await startServices(services, { signal: inbox.boot, log, timeline });
      timeline.ended('services');
    }
    if (command.length > 0) main = startMainCommand({ argv: command, cwd, inherited, terminal, privileges });
    timeline.ended('command');
  } catch (error) {
    if (before) await stopServices(shutdownOf(undefined), inbox);
    throw error;
  }
  const mainEnded = main === undefined ? undefined : reaper.exitOf(main);
  // Only the command's from here on: a pipe of which init kept an end would never close.
  for (const fd of inherited) closeSync(fd);
  if (typeof cwd === 'number') closeSync(cwd);

  const shutdown = shutdownOf(main);
  const send = (signal: NodeJS.Signals): void => {
    if (main !== undefined) sendSignal(processGroup ? -main : main, signal);
  };
  const suspension = main === undefined ? undefined : new Suspension({ main, terminal, send, reaper });
  inbox.deliverTo((signal) => {
    suspension?.consider(signal);
    send(signal);
    // A stopped process acts on TERM only after CONT.
    if (signal === 'SIGTERM') send('SIGCONT');
    shutdown.consider(signal);
  });
  const startDaemon = (): void => {
    if (!shutdown.begun) for (const service of services) service.start();
  };
  if (!before) setTimeout(startDaemon, main === undefined ? 0 : DAEMON_AFTER_MS);
  const begin = [...options.whenRunning, ...companions.map((companion) => () => companion.start())];
  beginBeside(begin, { main, services, stopping: () => shutdown.begun }, log);

  const stopCompanions = (): void => {
    for (const companion of companions) companion.stop();
  };
  // At the first TERM: what began later would not be told to end with the others.
  shutdown.requested.then(stopCompanions);
  const ended = await (mainEnded ?? shutdown.requested);
  stopCompanions();
  await shutdown.finish();
  await finishAll(companions, shutdown);
  if (terminal !== undefined) reclaimTerminal(terminal);
  return ended === undefined ? 0 : remap(ended, config.exitCodes);
}

/** With what is left of the grace; a signal means that there is no patience left. */
async function finishAll(companions: readonly Companion[], shutdown: Shutdown): Promise<void> {
  if (companions.length === 0) return;
  const end = new AbortController();
  const abort = (): void => end.abort(new Error('the grace is over'));
  const timer = startTimer(abort, shutdown.leftMs);
  shutdown.hurry.addEventListener('abort', abort);
  if (shutdown.hurry.aborted) abort();
  for (const companion of companions) await companion.finish(end.signal);
  clearTimeout(timer);
}

/** The way out of a boot that ends before the main command runs; a signal during it means no patience. */
async function stopServices(shutdown: Shutdown, inbox: SignalInbox): Promise<void> {
  const stopped = shutdown.finish();
  inbox.deliverTo((signal) => shutdown.consider(signal));
  await stopped;
}

function remap(ended: Ended, codes: Readonly<Record<string, number>>): number {
  const code = exitCodeOf(ended);
  return codes[String(code)] ?? code;
}
