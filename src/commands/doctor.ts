import type { CommandLine } from '../config/flags.ts';
import { diagnose } from '../doctor/diagnose.ts';
import type { TrialRequest } from '../doctor/probe/mounting.ts';
import { performTrial } from '../doctor/probe/trial.ts';
import { reportSchema } from '../doctor/schema.ts';
import { formatChecks } from '../doctor/table.ts';
import { toInitError, usageError } from '../errors.ts';
import { printOut } from '../log.ts';
import { interruptible } from './interruptible.ts';
import { printJson, printSchema } from './json.ts';

/** Says whether it can work here, what is missing and what to do about it. */
export async function runDoctor(line: CommandLine): Promise<number> {
  const { switches, rest } = line;
  const [request] = rest;
  if (request !== undefined) return tryHere(request);
  if (switches.has('schema')) return printSchema('doctor', reportSchema);
  return interruptible(async (signal) => {
    const { exitCode, line: summary, ...report } = await examine(line, signal);
    // Only what is documented: checks know more of themselves.
    const checks = report.checks.map(({ blocks: _, ...check }) => check);
    if (switches.has('json')) printJson({ ...report, checks });
    else printOut(`${formatChecks(checks)}\n${summary}\n`);
    return exitCode;
  });
}

async function examine(line: CommandLine, signal: AbortSignal) {
  try {
    return await diagnose(line, process.env, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw toInitError(error, 'check', 'cannot look at this container');
  }
}

/** What doctor asks of itself, in a process to be thrown away (probe/mounting.ts). */
function tryHere(text: string): number {
  let request: TrialRequest;
  try {
    request = JSON.parse(text);
  } catch {
    throw usageError(`unexpected argument ${text}`, 'see nix-cache-init doctor --help');
  }
  printOut(JSON.stringify(performTrial(request)));
  return 0;
}
