import { renameSync, writeFileSync } from 'node:fs';
import type { Config } from './config/keys.ts';
import type { LoadedConfig } from './config/load.ts';
import { forgetFailure } from './control/failure.ts';
import { openSteering } from './control/steering.ts';
import { Exit, errnoOf, InitError } from './errors.ts';
import type { GcSchedule } from './gc/schedule.ts';
import { Journal } from './journal.ts';
import { inheritedDescriptors, openWorkingDirectory } from './linux/descriptors.ts';
import { makeDirectories } from './linux/directories.ts';
import { becomeSubreaper } from './linux/process.ts';
import { createLog, type Log } from './log.ts';
import { type Applied, type ApplyContext, apply } from './store/apply.ts';
import { type Facts, gatherFacts } from './store/facts.ts';
import type { Plan, StrategyName } from './store/plan.ts';
import { runDir, runLayout } from './store/run-layout.ts';
import { candidates, goesOnAfter, refusal, select } from './store/select.ts';
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
    exitOf: (pid) => reaper.exitOf(pid),
  });
  const report = new ShutdownReport();
  try {
    inbox.boot.throwIfAborted();
    const recordBoot = () => record({ plan, applied, timeline, log });
    recordBoot();
    const { listening, reconciled = null } = applied;
    const schedule = await gcSchedule({ loaded, log, reaper }, plan, access);
    const companions = [...applied.companions, ...(schedule ? [schedule] : [])];
    const { socket } = facts.daemon;
    const known = { loaded, access, plan, passedOver, reconciled, socket, command, reaper, journal };
    // The record once more, with what came after: the services and the command.
    const whenRunning = [recordBoot, ...applied.whenRunning, openSteering(known, applied.undo, log)];
    if (schedule !== undefined) whenRunning.push(() => schedule.start());
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

type FirstOptions = { facts: Facts; config: Config; timeline: Timeline } & ApplyContext;

/**
 * Applies the first strategy that works here. Whether mounting is denied, or the volume locked, no fact tells: AppArmor and the
 * lock are asked by trying.
 */
async function applyFirst({
  facts,
  config: configured,
  timeline,
  ...context
}: FirstOptions): Promise<{ plan: Plan; applied: Applied; passedOver: string[]; access: Config['access'] }> {
  const { log } = context;
  let config = configured;
  let denied: InitError[] = [];
  const reasons = new Set<string>();
  for (let strategies = candidates(config); ; ) {
    const { plan, passedOver, rest } = await select(facts, config, strategies);
    const errors = [...denied, ...passedOver.map(({ why }) => refusal(why))];
    if (plan === undefined) throw errors.at(-1) ?? new RangeError('no strategy to choose from');
    for (const { message } of errors) reasons.add(message);
    warnFallback(log, errors, plan.strategy);
    if (plan.strategy !== 'none' && plan.strategy !== 'host') warnUnmounted(facts, config, log);
    log.info(
      `strategy ${plan.strategy}: ${config.strategy === 'auto' ? 'the first that can work here' : 'as configured'}`,
    );
    log.debug('plan', plan);
    timeline.ended('strategy', plan.strategy);
    try {
      const applied = await apply(plan, context);
      timeline.ended('steps');
      return { plan, applied, passedOver: [...reasons], access: config.access };
    } catch (error) {
      timeline.ended('refused', plan.strategy);
      if (!(error instanceof InitError)) throw error;
      if (readsWhenLocked(config) && error.exitCode === Exit.locked) {
        denied = [];
        log.warn(`${error.what}; going on read-only: nothing new will be kept`);
        config = { ...config, access: 'read-only' };
        continue;
      }
      if (rest.length === 0 || !goesOnAfter(error)) throw error;
      denied = [error];
      strategies = rest;
    }
  }
}

/** Where it is configured; no other boot loads the code for it. */
async function gcSchedule(
  { loaded, log, reaper }: { loaded: LoadedConfig; log: Log; reaper: Reaper },
  { strategy }: Plan,
  access: Config['access'],
): Promise<GcSchedule | undefined> {
  const { config } = loaded;
  if (config['gc.maxSize'] === undefined && config['gc.schedule'] === undefined) return undefined;
  const { GcSchedule, isScheduled } = await import('./gc/schedule.ts');
  if (!isScheduled({ ...config, access }, strategy)) return undefined;
  return new GcSchedule({ loaded, strategy, log, exitOf: (pid) => reaper.exitOf(pid) });
}

const readsWhenLocked = ({ access, onLocked }: Config): boolean =>
  access === 'read-write' && onLocked === 'read-only';

function warnUnmounted({ volume }: Facts, { cacheDir, access }: Config, log: Log): void {
  // Who reads expects nothing to be kept.
  if (volume.kind !== 'directory' || volume.mounted || access === 'read-only') return;
  log.warn(`nothing is mounted at ${cacheDir}: nothing will be kept (docker run -v cache:${cacheDir})`);
}

/** One line, with each reason once. */
function warnFallback(log: Log, errors: readonly InitError[], next: StrategyName): void {
  if (errors.length === 0) return;
  const reasons = [...new Set(errors.map(({ message }) => message))].join('; ');
  const kept = next === 'none' ? ', nothing will be kept' : '';
  log.warn(`${reasons}; going on with strategy ${next}${kept}`);
}

/** @throws {InitError} when there is no /proc, which everything after this needs too. */
function descriptorsForCommand(): number[] {
  try {
    return inheritedDescriptors();
  } catch (error) {
    throw new InitError({
      stage: 'facts',
      what: 'cannot look at /proc',
      errno: errnoOf(error),
      remedy: 'mount it: mount -t proc proc /proc',
      exitCode: Exit.io,
      cause: error,
    });
  }
}

/** init must not keep a directory busy that a mount lies on; the main command gets it back. */
function leaveWorkingDirectory(): string | number {
  const cwd = workingDirectory();
  process.chdir('/');
  return cwd;
}

/** Its path where that is known: after the boot the same path may lead to an overlay. Else the directory itself. */
function workingDirectory(): string | number {
  try {
    const path = process.cwd();
    return path.includes('\uFFFD') ? openWorkingDirectory() : path;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return openWorkingDirectory();
    throw error;
  }
}

function adoptOrphans(log: Log): void {
  try {
    becomeSubreaper();
    log.info('not PID 1: reaping as a subreaper', { pid: process.pid });
  } catch (error) {
    log.warn('not PID 1 and not allowed to be a subreaper: orphans go to the real PID 1', {
      errno: errnoOf(error),
    });
  }
}

type Done = { plan: Plan; applied: Applied; timeline: Timeline; log: Log };

/** Leaves the applied plan and its times for people and tools to read. The boot does not depend on it. */
function record({ plan: { strategy, steps }, applied: { timings, starts }, timeline, log }: Done): void {
  const timed = steps.map((step, index) => ({ ...step, ms: timings[index] }));
  const text = JSON.stringify(
    { strategy, pid: process.pid, steps: timed, times: timeline.times(starts) },
    null,
    2,
  );
  try {
    makeDirectories(runDir);
    // The command may be reading it.
    writeFileSync(`${runLayout.record}.new`, `${text}\n`);
    renameSync(`${runLayout.record}.new`, runLayout.record);
  } catch (error) {
    log.debug('cannot write boot.json', { errno: errnoOf(error) });
  }
}
