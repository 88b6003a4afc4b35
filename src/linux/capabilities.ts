import { readFileSync } from 'node:fs';

const CAP_SYS_ADMIN = 21n;

/** Whether an effective set (the hexadecimal mask of /proc/PID/status, proc_pid_status(5)) holds CAP_SYS_ADMIN. */
export function hasSysAdmin(status: string): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return mask !== undefined && ((BigInt(`0x${mask}`) >> CAP_SYS_ADMIN) & 1n) === 1n;
}

export function readHasSysAdmin(): boolean {
  return hasSysAdmin(readFileSync('/proc/self/status', 'utf8'));
}

/** Only the initial user namespace maps all IDs onto themselves (user_namespaces(7)). */
export function isInitialUidMap(map: string): boolean {
  return /^\s*0\s+0\s+4294967295\s*$/.test(map);
}

export function readInUserNamespace(): boolean {
  return !isInitialUidMap(readFileSync('/proc/self/uid_map', 'utf8'));
}
