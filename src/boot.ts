import type { LoadedConfig } from './config/load.ts';
import { forgetFailure } from './control/failure.ts';
import { openSteering } from './control/steering.ts';
import { gcSchedule } from './gc/scheduled.ts';
import { Journal } from './journal.ts';
import type { ExitOf } from './linux/helper.ts';
import { createLog } from './log.ts';
import { applyFirst } from './store/apply-first.ts';
import { gatherFacts } from './store/facts.ts';
import { recordBoot } from './store/record.ts';
import { runDir } from './store/run-layout.ts';
import { adoptOrphans } from './supervise/adopt.ts';
import { descriptorsForCommand, leaveWorkingDirectory } from './supervise/given.ts';
import { settlePrivileges } from './supervise/privileges.ts';
import { Reaper } from './supervise/reaper.ts';
import { ShutdownReport } from './supervise/report.ts';
import type { SignalInbox } from './supervise/signals.ts';
import { supervise } from './supervise/supervise.ts';
import type { Timeline } from './timeline.ts';

export type BootOptions = {
  command: readonly string[];
  loaded: LoadedConfig;
  inbox: SignalInbox;
  timeline: Timeline;
};

/**
 * The whole of it: facts → plan → apply → supervise → undo.
 * @returns the exit code for init.
 * @throws {InitError} when the main command was never started; {BootInterrupted} when a signal ended the boot.
 */
export async function boot({ command, loaded, inbox, timeline }: BootOptions): Promise<number> {
  const { config } = loaded;
  const journal = new Journal();
  const log = createLog(config, journal);
  const inherited = descriptorsForCommand();
  const cwd = leaveWorkingDirectory();
  const reaper = new Reaper();
  if (process.pid !== 1) adoptOrphans(log);
  reaper.start();
  const exitOf: ExitOf = (pid) => reaper.exitOf(pid);

  forgetFailure();
  const facts = await gatherFacts(config, process.env);
  const privileges = settlePrivileges(config, facts.credentials, log);
  timeline.ended('facts');
  const { plan, applied, passedOver, access } = await applyFirst({
    facts,
    config,
    log,
    timeline,
    signal: inbox.boot,
    exitOf,
  });
  const report = new ShutdownReport();
  try {
    inbox.boot.throwIfAborted();
    const record = () => recordBoot({ plan, applied, timeline, log });
    record();
    const { listening, reconciled = null } = applied;
    const schedule = await gcSchedule({ loaded, log, exitOf, strategy: plan.strategy, access });
    const companions = [...applied.companions, ...(schedule ? [schedule] : [])];
    const { socket } = facts.daemon;
    const known = { loaded, access, plan, passedOver, reconciled, socket, command, reaper, journal };
    // The record once more, with what came after: the services and the command.
    const whenRunning = [record, ...applied.whenRunning, openSteering(known, applied.undo, log)];
    const running = {
      command,
      cwd,
      inherited,
      privileges,
      config,
      log,
      reaper,
      inbox,
      listening,
      whenRunning,
      companions,
      runDir,
      report,
      timeline,
    };
    return await supervise(running);
  } finally {
    applied.undo.run();
    report.write(log);
  }
}
