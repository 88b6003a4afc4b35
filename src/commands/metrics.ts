import type { CommandLine } from '../config/flags.ts';
import { formatMetrics } from '../control/openmetrics.ts';
import { gatherReport } from '../control/report.ts';
import { printOut } from '../log.ts';
import { interruptible } from './interruptible.ts';

/** The numbers of `status` for Prometheus and its like; what `metrics.listen` serves. */
export function runMetrics(_: CommandLine): Promise<number> {
  return interruptible(async (signal) => {
    printOut(formatMetrics(await gatherReport(signal)));
    return 0;
  });
}
