import { readdirSync, readFileSync } from 'node:fs';
import { hasErrno } from '../errors.ts';
import { Prctl, prctl } from './prctl.ts';

/** Orphans below this process become its children, as they would PID 1's (PR_SET_CHILD_SUBREAPER(2const)). */
export function becomeSubreaper(): void {
  prctl(Prctl.setChildSubreaper, 1n);
}

/** The name of this boot of the kernel, the same in all containers on it (random(4)). */
export const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();

export type ProcessEntry = {
  pid: number;
  /** Its program's, of at most 15 bytes, or what it calls itself. */
  name: string;
  parent: number;
  group: number;
  session: number;
  zombie: boolean;
};

/** Of the flags there (<linux/sched.h>): nobody can end it. */
const PF_KTHREAD = 0x200000;

/**
 * The fields of /proc/PID/stat that matter here (proc_pid_stat(5)). The command may hold blanks and brackets.
 * @returns undefined for a thread of the kernel, too.
 */
export function parseStat(text: string): ProcessEntry | undefined {
  const end = text.lastIndexOf(')');
  const [state, parent, group, session, , , flags] = text.slice(end + 2).split(' ');
  const pid = Number.parseInt(text, 10);
  if (session === undefined || Number.isNaN(pid)) return undefined;
  if ((Number(flags ?? 0) & PF_KTHREAD) !== 0) return undefined;
  return {
    pid,
    name: text.slice(text.indexOf('(') + 1, end),
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    zombie: state === 'Z' || state === 'X',
  };
}

/**
 * When a process was started, in clock ticks since the machine was (field 22 of proc_pid_stat(5)): tells it from a later one
 * of the same PID.
 * @throws ENOENT when there is none.
 */
export function startTimeOf(pid: number): string {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

/** All processes of this PID namespace, as far as /proc shows it. A process may end while it is read. */
export function listProcesses(): ProcessEntry[] {
  const entries: ProcessEntry[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const entry = parseStat(readFileSync(`/proc/${name}/stat`, 'utf8'));
      if (entry !== undefined) entries.push(entry);
    } catch (error) {
      if (!hasErrno(error, 'ENOENT', 'ESRCH')) throw error;
    }
  }
  return entries;
}

/**
 * Whether PID 1 has its namespace to itself, those that `docker exec` brought included: one call in the place of reading
 * /proc (kill(2)).
 */
export function isAlone(): boolean {
  if (process.pid !== 1) return false;
  try {
    process.kill(-1, 0);
    return false;
  } catch (error) {
    return hasErrno(error, 'ESRCH');
  }
}

/** The given process and everything below it. */
export function withDescendants(roots: Iterable<number>, processes: readonly ProcessEntry[]): Set<number> {
  const family = new Set(roots);
  for (let grown = true; grown; ) {
    grown = false;
    for (const { pid, parent } of processes) {
      if (family.has(parent) && !family.has(pid)) {
        family.add(pid);
        grown = true;
      }
    }
  }
  return family;
}

/**
 * Sends a signal; a process or group that is gone already is no error, nor is one that belongs to another user
 * whom an unprivileged init may not signal.
 * @param target a PID, or a negative process group (kill(2)).
 * @returns whether anyone was there to receive it.
 */
export function sendSignal(target: number, signal: number | NodeJS.Signals): boolean {
  try {
    return process.kill(target, signal);
  } catch (error) {
    if (hasErrno(error, 'ESRCH', 'EPERM')) return false;
    throw error;
  }
}
