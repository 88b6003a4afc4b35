import type { CommandLine } from '../config/flags.ts';
import { runAnalyze } from './analyze.ts';
import { runCheck } from './check.ts';
import { runConfig } from './config.ts';
import { runDoctor } from './doctor.ts';
import { runExport } from './export.ts';
import { runGc } from './gc.ts';
import { runLogs } from './logs.ts';
import { runMetrics } from './metrics.ts';
import { runMount } from './mount.ts';
import { runPlan } from './plan.ts';
import { runPush } from './push.ts';
import { runRemount } from './remount.ts';
import { runRestart } from './restart.ts';
import { runService } from './service.ts';
import { runStatus } from './status.ts';
import { runStop } from './stop.ts';
import { runUnmount } from './unmount.ts';
import type { CommandName } from './usage.ts';
import { runWait } from './wait.ts';

/** The commands that answer and end, with what they exit. `run` is not one: see init.ts. */
export const commands: Readonly<Record<Exclude<CommandName, 'run'>, (line: CommandLine) => Promise<number>>> =
  {
    plan: runPlan,
    doctor: runDoctor,
    status: runStatus,
    metrics: runMetrics,
    wait: runWait,
    logs: runLogs,
    restart: runRestart,
    stop: runStop,
    check: runCheck,
    export: runExport,
    push: runPush,
    gc: runGc,
    config: runConfig,
    mount: runMount,
    unmount: runUnmount,
    service: runService,
    analyze: runAnalyze,
    remount: runRemount,
    completions: async (line) => (await import('./completions.ts')).runCompletions(line),
  };
