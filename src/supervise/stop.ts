import { uptime } from '../linux/clock.ts';
import { isAlone, listProcesses, type ProcessEntry, sendSignal } from '../linux/process.ts';
import type { Reaper } from './reaper.ts';

/** Processes whose parent is outside our PID namespace (`docker exec`) send us no SIGCHLD: look again this often. */
const LOOK_AGAIN_MS = 20;
/** How long a killed process may take to be gone. One in uninterruptible sleep may stay. */
const KILL_WAIT_MS = 1000;

export type StopOptions = {
  /** Which of all processes are to stop. */
  select: (processes: readonly ProcessEntry[]) => ProcessEntry[];
  /** What asks them to end. */
  signal?: NodeJS.Signals;
  /** Those who were told already. */
  told?: ReadonlySet<number>;
  /** When they are killed, on the clock of uptime(). */
  deadline: number;
  /** Aborted to kill at once. */
  hurry: AbortSignal;
  reaper: Reaper;
};

export type Killed = Pick<ProcessEntry, 'pid' | 'name'>;

/**
 * Asks processes to end (TERM or another signal, and CONT for the stopped) and kills those still there at the deadline.
 * Returns as soon as the last one is gone.
 * @returns who had to be killed.
 */
export async function stopProcesses({
  select,
  signal = 'SIGTERM',
  told,
  deadline,
  hurry,
  reaper,
}: StopOptions): Promise<Killed[]> {
  const killed = new Map<number, string>();
  for (let first = true; ; first = false) {
    const alive = isAlone() ? [] : select(listProcesses()).filter(({ zombie }) => !zombie);
    if (alive.length === 0) break;
    const now = uptime();
    if (now >= deadline + KILL_WAIT_MS && killed.size > 0) break;
    const kill = hurry.aborted || now >= deadline;
    for (const { pid, name } of alive) {
      if (kill) {
        if (sendSignal(pid, 'SIGKILL')) killed.set(pid, name);
      } else if (first && !told?.has(pid)) {
        // Only at first: what is born later is the work of a handler that cleans up.
        sendSignal(pid, signal);
        sendSignal(pid, 'SIGCONT');
      }
    }
    await nextChange(reaper, hurry.aborted ? undefined : hurry, LOOK_AGAIN_MS);
  }
  return [...killed].map(([pid, name]) => ({ pid, name }));
}

/** Waits until processes were reaped, the hurry began, or it is time to look again. */
function nextChange(reaper: Reaper, hurry: AbortSignal | undefined, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      forget();
      hurry?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    const forget = reaper.onReap(done);
    hurry?.addEventListener('abort', done);
  });
}
