import { uptime } from '../linux/clock.ts';
import { isTerminal } from '../linux/terminal.ts';
import { type Log, writeStderr } from '../log.ts';

const QUIET_MS = 1000;
const BAR_EVERY_MS = 100;
const LINE_EVERY_MS = 2000;
const BAR_CELLS = 30;

/** A bar such as `[###############               ]  50 %`. */
export function renderBar(done: number, total: number): string {
  const share = shareOf(done, total);
  const filled = Math.round(share * BAR_CELLS);
  return `[${'#'.repeat(filled)}${' '.repeat(BAR_CELLS - filled)}] ${percent(share).padStart(5)}`;
}

/** What is done may be an estimate, too. */
const shareOf = (done: number, total: number): number => (total === 0 ? 1 : Math.min(done / total, 1));

const percent = (share: number): string => `${Math.floor(share * 100)} %`;

/** Shows how far a long task is: nothing in its first second, then a bar on a terminal and log lines elsewhere. */
export function showProgress(what: string, log: Log) {
  const terminal = isTerminal(2);
  const start = uptime();
  let shown = Number.NEGATIVE_INFINITY;
  return {
    update(done: number, total: number): void {
      const now = uptime();
      if (now - start < QUIET_MS || now - shown < (terminal ? BAR_EVERY_MS : LINE_EVERY_MS)) return;
      shown = now;
      if (terminal) writeStderr(`\rnix-cache-init: ${what} ${renderBar(done, total)}`);
      else log.warn(`${what}: ${percent(shareOf(done, total))}`);
    },
    end(): void {
      if (terminal && shown > 0) writeStderr('\r\u001b[K');
    },
  };
}
