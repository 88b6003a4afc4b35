import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandLine } from '../config/flags.ts';
import { formatPage } from '../control/page.ts';
import { gatherReport, reportSchema } from '../control/report.ts';
import { isTerminal } from '../linux/terminal.ts';
import { printOut } from '../log.ts';
import { interruptible } from './interruptible.ts';
import { printSchema } from './json.ts';

const WATCH_MS = 2000;
/** Home, and what is below it away: no flicker (ECMA-48). */
const CLEAR = '\u001b[H\u001b[J';

/** Says what the running init does and how its volume is. */
export async function runStatus({ switches }: CommandLine): Promise<number> {
  if (switches.has('schema')) return printSchema('status', reportSchema);
  const json = switches.has('json');
  const watch = switches.has('watch');
  const clear = watch && !json && isTerminal(1) ? CLEAR : '';
  return interruptible(async (signal) => {
    for (;;) {
      const report = await gatherReport(signal);
      // A line each where there are many.
      if (json) printOut(`${JSON.stringify(report, null, watch ? undefined : 2)}\n`);
      else printOut(clear + formatPage(report, new Date()));
      if (!watch) return 0;
      await sleep(WATCH_MS, undefined, { signal });
    }
  });
}
