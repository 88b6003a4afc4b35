import { renameSync, writeFileSync } from 'node:fs';
import { errnoOf } from '../errors.ts';
import { makeDirectories } from '../linux/directories.ts';
import type { Log } from '../log.ts';
import type { Timeline } from '../timeline.ts';
import type { Applied } from './apply.ts';
import type { Plan } from './plan.ts';
import { runDir, runLayout } from './run-layout.ts';

export type BootRecord = { plan: Plan; applied: Applied; timeline: Timeline; log: Log };

/** Leaves the applied plan and its times for people and tools to read. The boot does not depend on it. */
export function recordBoot({
  plan: { strategy, steps },
  applied: { timings, starts },
  timeline,
  log,
}: BootRecord): void {
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
