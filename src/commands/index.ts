import type { CommandLine } from '../config/flags.ts';
import { runCheck } from './check.ts';
import { runConfig } from './config.ts';
import { runPlan } from './plan.ts';
import type { CommandName } from './usage.ts';

/** A command that answers and ends. `run` is not one: see init.ts. */
type Command = {
  switches: readonly string[];
  run(line: CommandLine): Promise<number>;
};

export const commands: Readonly<Record<Exclude<CommandName, 'run'>, Command>> = {
  plan: { switches: ['json'], run: runPlan },
  check: { switches: ['contents', 'json', 'repair'], run: runCheck },
  config: { switches: ['json', 'schema'], run: runConfig },
};
