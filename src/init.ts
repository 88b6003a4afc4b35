import { boot } from './boot.ts';
import { parseCommandLine, synopsis } from './config/flags.ts';
import { loadConfig } from './config/load.ts';
import { recordFailure } from './control/failure.ts';
import { Exit, type InitError, toInitError } from './errors.ts';
import { isKernelsInit } from './linux/namespaces.ts';
import { logWritten, printOut, writeStderr } from './log.ts';
import type { Machine } from './machine/machine.ts';
import { BootInterrupted, SignalInbox } from './supervise/signals.ts';
import { Timeline } from './timeline.ts';

/**
 * Runs init to its end.
 * @param args options and command: `[options] [--] [COMMAND [ARG…]]`.
 * @param loading when Node was done and began to load this program, in milliseconds of its uptime.
 * @returns the exit code of DESIGN §4.3. Never throws: nobody is left to catch it.
 */
export async function init(args: readonly string[], loading: number): Promise<number> {
  const timeline = new Timeline(loading);
  keepNodeOffStderr();
  if (!isKernelsInit()) return run(args, timeline);
  // No container: a machine to be made ready, and to be turned off at the end.
  const { Machine } = await import('./machine/machine.ts');
  const machine = new Machine();
  return machine.end(await run(args, timeline, machine));
}

async function run(args: readonly string[], timeline: Timeline, machine?: Machine): Promise<number> {
  const inbox = new SignalInbox(machine?.translate);
  // Signal handlers alone do not keep the event loop alive. This wakes it every 25 days; what would not, Node loads for a
  // millisecond.
  const keepAlive = setInterval(() => {}, 2 ** 31 - 1);
  // PID 1 may fail before its loop, never in it: the container would end with it. What boot itself throws comes below.
  process.on('uncaughtException', (error) => reportFatal(error));
  try {
    machine?.prepare();
    const { flags, file, switches, rest } = parseCommandLine(args);
    if (switches.size > 0) return await showInstead(switches);
    const loaded = await loadConfig({ flags, file, env: process.env });
    machine?.mountVolume(loaded.config.cacheDir);
    timeline.ended('configuration');
    return await boot({ command: rest, loaded, inbox, timeline });
  } catch (error) {
    if (error instanceof BootInterrupted) return error.exitCode;
    // After the warnings that led to it.
    await logWritten();
    return reportFatal(error, recordFailure);
  } finally {
    await logWritten();
    clearInterval(keepAlive);
  }
}

/**
 * Whoever reads process.stderr, pino's dependencies among them, has Node open it, which makes it non-blocking for everyone
 * who shares it, and reconfigures a terminal. We write with writeStderr() and nobody else has to.
 */
function keepNodeOffStderr(): void {
  Object.defineProperty(process, 'stderr', { value: { hasColors: () => false, write: writeStderr } });
}

/** The one line of DESIGN §4.3 (after a wrong use, what would be right follows), and the exit code that goes with it. */
export function reportFatal(error: unknown, record: (known: InitError) => void = () => {}): number {
  const known = toInitError(error, 'internal', 'unexpected');
  record(known);
  writeStderr(`nix-cache-init: ${known.message}\n`);
  if (known.exitCode === Exit.usage) writeStderr(synopsis);
  return known.exitCode;
}

async function showInstead(switches: ReadonlySet<string>): Promise<number> {
  const { helpText, versionText } = await import('./commands/help.ts');
  printOut(switches.has('version') ? versionText : helpText('run'));
  return 0;
}
