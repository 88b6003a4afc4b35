import type { CommandLine } from '../config/flags.ts';
import { runCheck } from './check.ts';
import { runConfig } from './config.ts';
import { runDoctor } from './doctor.ts';
import { runExport } from './export.ts';
import { runMount } from './mount.ts';
import { runPlan } from './plan.ts';
import { runRemount } from './remount.ts';
import { runService } from './service.ts';
import { runUnmount } from './unmount.ts';
import type { CommandName } from './usage.ts';

/** The commands that answer and end, with what they exit. `run` is not one: see init.ts. */
export const commands: Readonly<Record<Exclude<CommandName, 'run'>, (line: CommandLine) => Promise<number>>> =
  {
    plan: runPlan,
    doctor: runDoctor,
    check: runCheck,
    export: runExport,
    config: runConfig,
    mount: runMount,
    unmount: runUnmount,
    service: runService,
    remount: runRemount,
  };
